import { cellColours, INKS } from "./palette.js";
import { drawLink } from "./ring.js";

/** @typedef {import("./palette.js").Accent} Accent */
/** @typedef {import("./palette.js").Theme} Theme */

/**
 * @typedef {object} Cells
 * @property {number} rows
 * @property {number} cols
 * @property {number} cell side, CSS pixels
 * @property {number} [gap] between cells, CSS pixels: a dilated kernel skips what lies there
 * @property {(i: number) => number} value raw value of cell i
 * @property {(i: number) => string} text what to write on it when it fits
 * @property {Accent} accent
 * @property {number} absmax
 * @property {Theme} theme
 * @property {(i: number) => "pad" | "mirror" | "unwritten" | "none" | null} [state] cells that are no ordinary value
 * @property {((v: number) => number)} [tone] value → value to colour by (pictures: undo the normalisation)
 * @property {Set<number> | null} [hot] outlined
 * @property {Set<number> | null} [dim] faded
 */

/** Numbers are written from this cell size on; below it there is the loupe. */
export const NUMBER_PX = 30;

/**
 * A grid of coloured cells with numbers.
 * @param {CanvasRenderingContext2D} ctx @param {number} x0 @param {number} y0 @param {Cells} cells
 */
export function drawGrid(ctx, x0, y0, cells) {
  const { rows, cols, cell, theme } = cells;
  const pitch = cell + (cells.gap ?? 0);
  const size = cell >= 52 ? 15 : cell >= 44 ? 13.5 : cell >= 36 ? 12 : 10.5;
  ctx.font = `520 ${size}px "Inter var", Inter, "Segoe UI", system-ui, sans-serif`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  for (let i = 0; i < rows * cols; i++) {
    const x = x0 + (i % cols) * pitch;
    const y = y0 + Math.floor(i / cols) * pitch;
    drawCell(ctx, x, y, i, cells, theme);
  }
  if (cells.hot) {
    for (const i of cells.hot) {
      drawLink(ctx, { x: x0 + (i % cols) * pitch, y: y0 + Math.floor(i / cols) * pitch, w: cell - 0.6, h: cell - 0.6 }, theme);
    }
  }
}

/** @param {CanvasRenderingContext2D} ctx @param {number} x @param {number} y @param {number} i @param {Cells} cells @param {Theme} theme */
function drawCell(ctx, x, y, i, cells, theme) {
  const side = cells.cell - (cells.cell > 8 ? 0.8 : 0);
  const state = cells.state?.(i) ?? null;
  const dimmed = cells.dim?.has(i);
  if (state === "unwritten" || state === "none") {
    ctx.fillStyle = (i + Math.floor(i / cells.cols)) % 2 ? INKS[theme].checkA : INKS[theme].checkB;
    ctx.fillRect(x, y, side, side);
    return;
  }
  if (dimmed) ctx.globalAlpha = 0.35;
  let ink = INKS[theme].faint;
  if (state === "pad") {
    drawHatch(ctx, x, y, side, side, theme);
  } else {
    const value = cells.value(i);
    const colours = cellColours(cells.tone ? cells.tone(value) : value, cells.accent, cells.absmax, theme);
    ctx.fillStyle = colours.fill;
    ctx.fillRect(x, y, side, side);
    ink = colours.text;
    if (state === "mirror") drawHatch(ctx, x, y, side, side, theme, false);
  }
  ctx.globalAlpha = 1;
  // a faded cell keeps a legible number
  if (cells.cell >= NUMBER_PX) writeNumber(ctx, cells.text(i), x + side / 2, y + side / 2 + 0.5, side - 4, dimmed ? INKS[theme].soft : ink);
}

/** Written narrower when it would not fit, never cut. @param {CanvasRenderingContext2D} ctx @param {string} text
 * @param {number} x @param {number} y @param {number} room @param {string} ink */
function writeNumber(ctx, text, x, y, room, ink) {
  ctx.fillStyle = ink;
  ctx.fillText(text, x, y, room);
}

/**
 * Diagonal hatching: padding, which is no measured value.
 * @param {CanvasRenderingContext2D} ctx @param {number} x @param {number} y @param {number} w @param {number} h @param {Theme} theme
 * @param {boolean} [ground] paint the wash below it
 */
export function drawHatch(ctx, x, y, w, h, theme, ground = true) {
  const inks = INKS[theme];
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, y, w, h);
  ctx.clip();
  if (ground) {
    ctx.fillStyle = inks.wash;
    ctx.fillRect(x, y, w, h);
  }
  ctx.strokeStyle = ground ? inks.hatch : inks.now;
  ctx.globalAlpha *= ground ? 0.75 : 0.5;
  ctx.lineWidth = 1;
  const step = Math.max(5, Math.min(8, w / 4));
  ctx.beginPath();
  // anchored to the page, so that neighbouring cells continue each other's lines
  for (let d = Math.floor((x + y) / step) * step; d < x + y + w + h; d += step) {
    ctx.moveTo(d - y, y);
    ctx.lineTo(d - y - h, y + h);
  }
  ctx.stroke();
  ctx.restore();
}
