/** Ranges of tensors and of their channels. */
import { opened } from "../state.js";

/** @typedef {import("../types.d.ts").TensorView} TensorView */

/** @param {string} name @returns {number} largest |value| of a tensor over its finite cells, from the numbers the server sent with it */
export function tensorMax(name) {
  const info = opened.value?.tensors.find((tensor) => tensor.name === name);
  return Math.max(Math.abs(info?.min ?? 0), Math.abs(info?.max ?? 0));
}

/** @type {WeakMap<object, {min: number, max: number}[]>} */
const ranges = new WeakMap();

/** Least and greatest value of every channel of every sample (of a vector as a whole), computed once per tensor. @param {TensorView} view */
export function channelRanges(view) {
  let found = view.ranges ?? ranges.get(view);
  if (found) return found;
  const channels = view.shape[0] * (view.shape.length === 4 ? view.shape[1] : 1);
  const plane = view.data.length / channels;
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
