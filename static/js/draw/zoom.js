import { INKS } from "./palette.js";

/**
 * Two lines from the window in a map to the same window magnified beside it.
 * @param {CanvasRenderingContext2D} ctx
 * @param {{x: number, y: number, w: number, h: number}} from
 * @param {{x: number, y: number, w: number, h: number}} to right of `from`, or below it
 * @param {import("./palette.js").Theme} theme
 */
export function drawZoom(ctx, from, to, theme) {
  ctx.save();
  ctx.strokeStyle = INKS[theme].now;
  ctx.globalAlpha = 0.8;
  ctx.lineWidth = 1.3;
  ctx.beginPath();
  ctx.moveTo(from.x + from.w, from.y - 1);
  ctx.lineTo(to.x - 2, to.y - 2);
  ctx.moveTo(from.x + from.w, from.y + from.h + 1);
  ctx.lineTo(to.x - 2, to.y + to.h + 2);
  ctx.stroke();
  ctx.restore();
}
