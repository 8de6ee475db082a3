/** How a tensor is cut so that every piece fits a frame. */

/** A frame holds 256 KiB; this leaves room for its header. */
const FRAME_BYTES = 240 * 1024;

/** @typedef {[number, number][]} Slice one range [from, to) per dimension */

/**
 * The pieces in row-major order, so that joining them end to end gives the tensor.
 * @param {readonly number[]} shape @param {number} item bytes of a cell @param {number} [most] bytes of a piece
 * @returns {(Slice | null)[]} [null] when the whole tensor fits
 */
export function slices(shape, item, most = FRAME_BYTES) {
  const cells = shape.reduce((a, b) => a * b, 1);
  return cells * item <= most ? [null] : cut(shape, item, most);
}

/** @param {readonly number[]} shape @param {number} item @param {number} most @returns {Slice[]} */
function cut(shape, item, most) {
  const extent = shape[0];
  const rest = shape.slice(1);
  const bytes = rest.reduce((a, b) => a * b, item);
  const each = Math.floor(most / bytes);
  /** @type {(range: [number, number], inner: Slice) => Slice} */
  const piece = (range, inner) => [range, ...inner];
  if (each >= 1 || rest.length === 0) {
    const whole = rest.map((n) => /** @type {[number, number]} */ ([0, n]));
    const step = Math.max(1, each);
    return Array.from({ length: Math.ceil(extent / step) }, (_, i) => piece([i * step, Math.min(extent, (i + 1) * step)], whole));
  }
  const inner = cut(rest, item, most);
  return Array.from({ length: extent }, (_, i) => inner.map((one) => piece([i, i + 1], one))).flat();
}
