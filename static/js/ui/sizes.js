/** Sizes of a convolution before it is computed: while a slider moves, the formula moves with it, and no slider can reach an impossible setting. */

/** @typedef {{kernel_size: number, stride: number, padding: number, dilation: number}} Window */

/** @param {number} n input size @param {Window} w @returns {number} output size; below 1 the window does not fit */
export function outSize(n, { kernel_size: k, stride: s, padding: p, dilation: d }) {
  return Math.floor((n + 2 * p - d * (k - 1) - 1) / s) + 1;
}

/** @param {number} n @param {Window} w @returns {string} the formula with its numbers */
export function sizeFormula(n, w) {
  const { kernel_size: k, stride: s, padding: p, dilation: d } = w;
  return `⌊(${n} + 2·${p} − ${d}·(${k} − 1) − 1) / ${s}⌋ + 1 = ${outSize(n, w)}`;
}

/** What the sliders offer, before a small input narrows it. */
export const OFFERED = { kernel_size: [1, 7], stride: [1, 4], padding: [0, 3], dilation: [1, 3] };

/**
 * The range of one setting in which the window still fits the padded input, the others staying as they are.
 * @param {keyof Window} key @param {number} n the smaller side of the input @param {Window} w @param {string} mode padding_mode
 * @returns {{min: number, max: number, narrowed: boolean}} narrowed: the input is what limits it
 */
export function bounds(key, n, w, mode) {
  const [least, most] = OFFERED[key];
  let min = least, max = most;
  if (key === "padding" && mode === "reflect") max = Math.min(max, n - 1);
  if (key === "padding" && mode === "circular") max = Math.min(max, n);
  while (max > min && outSize(n, { ...w, [key]: key === "padding" ? min : max }) < 1) {
    if (key === "padding") min += 1; // more padding makes room, less takes it
    else max -= 1;
  }
  return { min, max, narrowed: min > least || max < most };
}
