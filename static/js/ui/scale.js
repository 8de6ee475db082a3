/** The range of a map's colours: ± the largest |value| of the map, of its layer or of the whole network. Always symmetric about zero. */
import { mapData, opened, scaleMode } from "../state.js";

/** @typedef {import("../types.d.ts").TensorView} TensorView */

/** @param {string} name @returns {number} largest |value| of a tensor over its finite cells, from the numbers the server sent with it */
export function tensorMax(name) {
  const info = opened.value?.tensors.find((tensor) => tensor.name === name);
  return Math.max(Math.abs(info?.min ?? 0), Math.abs(info?.max ?? 0));
}

/** @returns {number} largest |value| over the outputs of all nodes */
export function networkMax() {
  return Math.max(0, ...(opened.value?.nodes ?? []).map((node) => tensorMax(node.out)));
}

/** @type {WeakMap<object, {min: number, max: number}[]>} */
const ranges = new WeakMap();

/** Least and greatest value of every channel (of every cell of a vector), computed once per tensor. @param {TensorView} view */
export function channelRanges(view) {
  let found = ranges.get(view);
  if (found) return found;
  const channels = view.shape.length === 4 ? view.shape[1] : 1;
  const plane = view.data.length / (view.shape[0] * channels);
  found = Array.from({ length: channels }, (_, c) => {
    let [min, max] = [Infinity, -Infinity];
    for (let i = c * plane; i < (c + 1) * plane; i++) {
      const v = view.data[i];
      if (v < min) min = v;
      if (v > max) max = v;
    }
    return { min, max };
  });
  ranges.set(view, found);
  return found;
}

/** @param {string} name a tensor @param {number} channel @returns {number} what the ends of the colour scale stand for */
export function absmaxOf(name, channel) {
  if (scaleMode.value === "network") return networkMax();
  if (scaleMode.value === "layer") return tensorMax(name);
  const view = mapData.value.get(name);
  const range = view && channelRanges(view)[channel];
  return range ? Math.max(Math.abs(range.min), Math.abs(range.max)) : tensorMax(name);
}
