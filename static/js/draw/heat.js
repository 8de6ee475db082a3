import { scratch } from "./canvas.js";
import { bytes, entry, INKS } from "./palette.js";

/** @typedef {import("./palette.js").Accent} Accent */
/** @typedef {import("./palette.js").Theme} Theme */
/** @typedef {{data: Float32Array | Float64Array, offset: number, rows: number, cols: number, count?: number}} Plane one channel of a tensor; count: cells that exist, when the last row is not full */
/** @typedef {{accent: Accent, absmax: number, theme: Theme, mean?: number, std?: number}} Shade mean and std undo a picture's normalisation */

/**
 * Painted planes by the array they came from: a map is painted once per (channel, scale, theme) and then only blitted, so that a step costs two
 * drawImage calls instead of 3 844 colour look-ups. Weak: the pictures go when the tensor goes.
 * @type {WeakMap<Float32Array | Float64Array, Map<string, HTMLCanvasElement>>}
 */
const painted = new WeakMap();

/** At most this many pictures are kept per tensor: dragging a scale must not pile them up. */
const KEPT = 96;

/**
 * A plane as a picture with one device pixel per cell; cached.
 * @param {Plane} plane @param {Shade} shade @returns {HTMLCanvasElement}
 */
export function planeImage(plane, shade) {
  const { accent, absmax, theme, mean, std } = shade;
  const key = `${plane.offset} ${plane.cols} ${accent} ${absmax} ${theme} ${mean} ${std}`;
  let pictures = painted.get(plane.data);
  if (!pictures) painted.set(plane.data, (pictures = new Map()));
  let canvas = pictures.get(key);
  if (canvas) return canvas;
  if (pictures.size >= KEPT) pictures.clear();
  canvas = scratch(plane.cols, plane.rows);
  drawPixels(canvas, plane, shade);
  pictures.set(key, canvas);
  return canvas;
}

/**
 * A plane onto a canvas of its size, one pixel per cell; not cached.
 * @param {HTMLCanvasElement} canvas @param {Plane} plane @param {Shade} shade
 */
export function drawPixels(canvas, plane, { accent, absmax, theme, mean = 0, std = 1 }) {
  const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = ctx.createImageData(canvas.width, canvas.height);
  fillPixels(image.data, plane, bytes(accent, theme), (v) => entry(v * std + mean, accent, absmax));
  ctx.putImageData(image, 0, 0);
}

/** @param {Uint8ClampedArray} out @param {Plane} plane @param {Uint8ClampedArray} scale @param {(v: number) => number} pick */
function fillPixels(out, plane, scale, pick) {
  const n = Math.min(plane.rows * plane.cols, plane.count ?? Infinity);
  for (let i = 0; i < n; i++) {
    const k = pick(plane.data[plane.offset + i]);
    const o = 4 * i;
    if (k < 0) {
      // not a number: a violet that no scale contains
      out[o] = 150; out[o + 1] = 60; out[o + 2] = 190; out[o + 3] = 255;
      continue;
    }
    out[o] = scale[4 * k]; out[o + 1] = scale[4 * k + 1]; out[o + 2] = scale[4 * k + 2]; out[o + 3] = 255;
  }
}

/**
 * Three planes as one colour picture.
 * @param {Float32Array | Float64Array} data @param {number} offset of the sample @param {number} rows @param {number} cols
 * @param {number[]} mean @param {number[]} std @param {number} [channels] 1 draws grey
 */
export function rgbImage(data, offset, rows, cols, mean, std, channels = 3) {
  let pictures = painted.get(data);
  if (!pictures) painted.set(data, (pictures = new Map()));
  const key = `rgb ${offset} ${mean} ${std}`;
  let canvas = pictures.get(key);
  if (canvas) return canvas;
  canvas = scratch(cols, rows);
  const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = ctx.createImageData(cols, rows);
  const n = rows * cols;
  for (let i = 0; i < n; i++) {
    for (let c = 0; c < 3; c++) {
      const from = channels >= 3 ? c : 0;
      image.data[4 * i + c] = Math.round(255 * (data[offset + from * n + i] * std[from] + mean[from]));
    }
    image.data[4 * i + 3] = 255;
  }
  ctx.putImageData(image, 0, 0);
  pictures.set(key, canvas);
  return canvas;
}

/** @type {Map<string, HTMLCanvasElement>} */
const checkers = new Map();

/** The faint checker of cells no step has written yet. @param {number} rows @param {number} cols @param {Theme} theme */
function checker(rows, cols, theme) {
  const key = `${rows} ${cols} ${theme}`;
  let canvas = checkers.get(key);
  if (canvas) return canvas;
  if (checkers.size > 32) checkers.clear();
  canvas = scratch(cols, rows);
  const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  ctx.fillStyle = INKS[theme].checkA;
  ctx.fillRect(0, 0, cols, rows);
  ctx.fillStyle = INKS[theme].checkB;
  for (let y = 0; y < rows; y++) for (let x = y % 2; x < cols; x += 2) ctx.fillRect(x, y, 1, 1);
  checkers.set(key, canvas);
  return canvas;
}

/**
 * Draws a plane into a rectangle, cell edges sharp, up to `written` cells in row-major order; the rest is checker.
 * @param {CanvasRenderingContext2D} ctx
 * @param {HTMLCanvasElement} image from planeImage
 * @param {{x: number, y: number, w: number, h: number}} box CSS pixels
 * @param {{rows: number, cols: number, theme: Theme, written?: number}} options written: all when left out
 */
export function paintPlane(ctx, image, box, { rows, cols, theme, written = Infinity }) {
  // a picture larger than its box is averaged: dropping every second row would invent stripes
  ctx.imageSmoothingEnabled = image.width > box.w * 1.01;
  if (written >= rows * cols) {
    ctx.drawImage(image, box.x, box.y, box.w, box.h);
    return;
  }
  ctx.drawImage(checker(rows, cols, theme), box.x, box.y, box.w, box.h);
  const full = Math.floor(written / cols);
  const rest = written - full * cols;
  blit(ctx, image, box, rows, cols, 0, 0, cols, full);
  blit(ctx, image, box, rows, cols, 0, full, rest, 1);
}

/** Part of a picture, given in cells. @param {CanvasRenderingContext2D} ctx @param {HTMLCanvasElement} image
 * @param {{x: number, y: number, w: number, h: number}} box @param {number} rows @param {number} cols
 * @param {number} x @param {number} y @param {number} w @param {number} h */
function blit(ctx, image, box, rows, cols, x, y, w, h) {
  if (w <= 0 || h <= 0) return;
  // pooled thumbnails have fewer pixels than cells
  const [px, py] = [image.width / cols, image.height / rows];
  ctx.drawImage(image, x * px, y * py, w * px, h * py,
    box.x + (x / cols) * box.w, box.y + (y / rows) * box.h, (w / cols) * box.w, (h / rows) * box.h);
}
