/**
 * A canvas sized in CSS pixels and backed by device pixels.
 * The backing store is touched only when the size changes: setting `width` clears and reallocates, which costs a frame at 60 steps/s.
 * @param {HTMLCanvasElement} canvas
 * @param {number} w CSS pixels
 * @param {number} h CSS pixels
 * @returns {CanvasRenderingContext2D} cleared, with one unit = one CSS pixel
 */
export function prepare(canvas, w, h) {
  const ratio = pixelRatio();
  const dw = Math.max(1, Math.round(w * ratio));
  const dh = Math.max(1, Math.round(h * ratio));
  if (canvas.width !== dw || canvas.height !== dh) {
    canvas.width = dw;
    canvas.height = dh;
    canvas.style.width = `${w}px`;
    canvas.style.height = `${h}px`;
  }
  const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, w, h);
  return ctx;
}

/** Device pixels per CSS pixel, at most 3: beyond that nobody sees the difference and memory grows with the square. */
export function pixelRatio() {
  return Math.min(3, Math.max(1, window.devicePixelRatio || 1));
}

/**
 * An off-screen canvas of w×h device pixels (a plain element: OffscreenCanvas is missing in older Safari).
 * @param {number} w
 * @param {number} h
 */
export function scratch(w, h) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, w);
  canvas.height = Math.max(1, h);
  return canvas;
}
