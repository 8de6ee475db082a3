/**
 * Thumbnails at rest are pictures. A browser gives every canvas a compositing layer of its own; with some 120 of them on the page each frame of
 * playing spent 5 ms on layers that had not changed (176 layers, measured in Chromium without a GPU). A canvas that has not been painted
 * for a moment is therefore shown by an image of itself; painted again, it comes back at once.
 */

/** A thumbnail rests when no thumbnail has been painted for this long. */
const REST_MS = 350;

/** @type {Set<HTMLCanvasElement>} */
const waiting = new Set();
let timer = 0;

/**
 * Called after each painting; the canvas' next sibling is the image that will stand for it.
 * @param {HTMLCanvasElement} canvas
 */
export function still(canvas) {
  canvas.classList.remove("still");
  waiting.add(canvas);
  window.clearTimeout(timer);
  timer = window.setTimeout(rest, REST_MS);
}

async function rest() {
  const now = timer;
  for (const canvas of [...waiting]) {
    if (timer !== now) return; // painting goes on: later
    waiting.delete(canvas);
    const image = canvas.nextElementSibling;
    if (!canvas.isConnected || !(image instanceof HTMLImageElement)) continue;
    await show(canvas, image).catch(() => undefined);
  }
}

/** @param {HTMLCanvasElement} canvas @param {HTMLImageElement} image */
async function show(canvas, image) {
  const blob = await new Promise((/** @type {(blob: Blob | null) => void} */ done) => canvas.toBlob(done));
  if (!blob || waiting.has(canvas)) return;
  const url = URL.createObjectURL(blob);
  image.src = url;
  await image.decode().finally(() => URL.revokeObjectURL(url));
  if (!waiting.has(canvas)) canvas.classList.add("still");
}
