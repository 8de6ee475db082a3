/**
 * Where things lie: indices, planes of a tensor, windows of a sliding kernel. Positions only; values always come from the engine.
 * @typedef {import("../../types.d.ts").TensorView} TensorView
 * @typedef {import("../../draw/heat.js").Plane} Plane
 */

import { unravel } from "../../lib/cells.js";

export { ravel, unravel } from "../../lib/cells.js";

/** @param {unknown} value a number or [height, width], as in PyTorch @returns {[number, number]} */
export function pair(value) {
  return Array.isArray(value) ? [Number(value[0]), Number(value[1])] : [Number(value), Number(value)];
}

/** Index as people write it: without the sample when there is only one. @param {string} tensor @param {number} flat @param {number[]} shape */
export function cellName(tensor, flat, shape) {
  const cell = unravel(flat, shape);
  return `${tensor}[${(shape.length > 1 && shape[0] === 1 && !/\.(weight|bias)$/.test(tensor) ? cell.slice(1) : cell).join(", ")}]`;
}

/** Rows and columns of one channel: [N, C, H, W] has planes, [N, F] is one row of F. @param {number[]} shape @returns {[number, number]} */
export function planeSize(shape) {
  if (shape.length >= 4) return [shape[2], shape[3]];
  if (shape.length === 3) return [shape[1], shape[2]];
  return [1, shape[shape.length - 1] ?? 1];
}

/** @param {number[]} shape @param {number} sample @param {number} channel flat index of the first cell of that channel */
export function planeStart(shape, sample, channel) {
  const [h, w] = planeSize(shape);
  return shape.length >= 4 ? (sample * shape[1] + channel) * h * w : sample * h * w;
}

/** @param {TensorView | null} view @param {number} sample @param {number} channel @returns {Plane | null} */
export function planeOf(view, sample, channel) {
  if (!view || (view.planes && !view.planes.has(sample * view.shape[1] + channel))) return null;
  const [rows, cols] = planeSize(view.shape);
  return { data: view.data, offset: planeStart(view.shape, sample, channel), rows, cols };
}

/**
 * How a sliding window lies on its input.
 * @typedef {{k: [number, number], s: [number, number], p: [number, number], d: [number, number]}} Slide kernel, stride, padding (top, left), dilation
 * @param {Record<string, any>} config PyTorch-named layer configuration
 * @param {boolean} padded whether the operand is already padded
 * @param {[number, number]} size of the input
 * @returns {Slide}
 */
export function slideOf(config, padded, size) {
  const k = pair(config.kernel_size ?? 1);
  const s = pair(config.stride ?? config.kernel_size ?? 1);
  const d = pair(config.dilation ?? 1);
  /** @type {[number, number]} */
  let p = [0, 0];
  if (!padded) {
    // "same": PyTorch puts the odd row and column of padding at the end
    if (config.padding === "same") p = [((k[0] - 1) * d[0]) >> 1, ((k[1] - 1) * d[1]) >> 1];
    else if (typeof config.padding !== "string") p = pair(config.padding ?? 0);
  }
  if (!config.kernel_size && config.output_size === undefined) return { k: size, s: size, p, d };
  return { k, s, p, d };
}

/** Top-left corner (may be negative, in the padding) and extent of the window of output (y, x). @param {Slide} slide @param {number} y @param {number} x */
export function windowBox({ k, s, p, d }, y, x) {
  return { y: y * s[0] - p[0], x: x * s[1] - p[1], h: (k[0] - 1) * d[0] + 1, w: (k[1] - 1) * d[1] + 1 };
}

/** Output rows (or columns) that read input position `at` along one axis. @param {Slide} slide @param {0 | 1} axis @param {number} at @param {number} n outputs */
export function reached({ k, s, p, d }, axis, at, n) {
  const found = [];
  const first = Math.max(0, Math.ceil((at + p[axis] - (k[axis] - 1) * d[axis]) / s[axis]));
  for (let y = first; y < n && y * s[axis] <= at + p[axis]; y++) {
    if ((at + p[axis] - y * s[axis]) % d[axis] === 0) found.push(y);
  }
  return found;
}

/** Input rows (or columns) that kernel position `at` meets along one axis. @param {Slide} slide @param {0 | 1} axis @param {number} at @param {number} n outputs */
export function met({ s, p, d }, axis, at, n) {
  return Array.from({ length: n }, (_, y) => y * s[axis] - p[axis] + at * d[axis]);
}
