import { INKS } from "./palette.js";

/**
 * The one mark of "now": a gold ring with an ink edge around the current window or cell.
 * Gold alone is 1.8:1 on paper; the ink edge gives the mark its 3:1 on any map beneath it.
 * @param {CanvasRenderingContext2D} ctx
 * @param {{x: number, y: number, w: number, h: number}} box what it surrounds, CSS pixels
 * @param {import("./palette.js").Theme} theme
 * @param {{width?: number, grow?: number, alpha?: number}} [options] width of the gold; grow outside the box
 */
export function drawRing(ctx, box, theme, { width = 2.5, grow = 1.5, alpha = 1 } = {}) {
  const inks = INKS[theme];
  const radius = Math.min(5, 2 + box.w / 24);
  const path = (/** @type {number} */ by) => {
    ctx.beginPath();
    ctx.roundRect(box.x - by, box.y - by, box.w + 2 * by, box.h + 2 * by, radius);
  };
  ctx.save();
  ctx.globalAlpha = alpha;
  ctx.strokeStyle = theme === "dark" ? "#0d0e11" : inks.nowEdge;
  ctx.lineWidth = width + 2.4;
  path(grow);
  ctx.stroke();
  ctx.strokeStyle = inks.now;
  ctx.lineWidth = width;
  path(grow);
  ctx.stroke();
  ctx.restore();
}

/**
 * A thin outline for what is linked with the cell under the pointer: ink with a light edge, never gold.
 * @param {CanvasRenderingContext2D} ctx
 * @param {{x: number, y: number, w: number, h: number}} box
 * @param {import("./palette.js").Theme} theme
 * @param {{dashed?: boolean, colour?: string}} [options]
 */
export function drawLink(ctx, box, theme, { dashed = false, colour } = {}) {
  const inks = INKS[theme];
  ctx.save();
  ctx.strokeStyle = inks.panel;
  ctx.lineWidth = 3.6;
  ctx.strokeRect(box.x + 1, box.y + 1, box.w - 2, box.h - 2);
  if (dashed) ctx.setLineDash([3, 2]);
  ctx.strokeStyle = colour ?? inks.ink;
  ctx.lineWidth = 1.8;
  ctx.strokeRect(box.x + 1, box.y + 1, box.w - 2, box.h - 2);
  ctx.restore();
}
