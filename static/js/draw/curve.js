import { INKS } from "./palette.js";

/**
 * Axes, a curve and the current point on it.
 * @param {CanvasRenderingContext2D} ctx
 * @param {{w: number, h: number, theme: import("./palette.js").Theme, domain: [number, number], range: [number, number],
 *   points: Array<[number, number]>, at: {x: number, y: number}, labels: {x: string, y: string}, ticks: (v: number) => string}} plot
 */
export function drawCurve(ctx, plot) {
  const { w, h, theme, domain, range, points, at, labels } = plot;
  const inks = INKS[theme];
  const [left, right, top, bottom] = [12, 14, 14, 14];
  const px = (/** @type {number} */ v) => left + ((v - domain[0]) / (domain[1] - domain[0])) * (w - left - right);
  const py = (/** @type {number} */ v) => h - bottom - ((v - range[0]) / (range[1] - range[0])) * (h - top - bottom);
  ctx.font = `500 11px "Inter var", Inter, system-ui, sans-serif`;
  drawAxes(ctx, plot, px, py);
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top - 4, w - left - right, h - top - bottom + 8);
  ctx.clip();
  ctx.strokeStyle = inks.data;
  ctx.lineWidth = 2.6;
  ctx.lineJoin = "round";
  ctx.beginPath();
  for (const [x, y] of points) ctx.lineTo(px(x), py(y));
  ctx.stroke();
  ctx.restore();
  drawPoint(ctx, px(at.x), py(at.y), px(0), py(0), theme);
  ctx.fillStyle = inks.soft;
  ctx.textAlign = "right";
  ctx.textBaseline = "bottom";
  ctx.fillText(labels.x, w - right, py(0) - 5);
  ctx.textAlign = "left";
  ctx.textBaseline = "top";
  ctx.fillText(labels.y, px(0) + 7, top - 12);
}

/** @param {CanvasRenderingContext2D} ctx @param {Parameters<typeof drawCurve>[1]} plot
 * @param {(v: number) => number} px @param {(v: number) => number} py */
function drawAxes(ctx, { domain, range, theme, w, h, ticks }, px, py) {
  const inks = INKS[theme];
  ctx.strokeStyle = inks.line;
  ctx.lineWidth = 1;
  ctx.fillStyle = inks.faint;
  const [dx, dy] = [niceStep(domain[1] - domain[0]), niceStep(range[1] - range[0])];
  ctx.textAlign = "center";
  ctx.textBaseline = "top";
  for (let v = Math.ceil(domain[0] / dx) * dx; v <= domain[1]; v += dx) {
    line(ctx, px(v), 14, px(v), h - 14);
    if (Math.abs(v) > dx / 2) ctx.fillText(ticks(v), px(v), py(0) + 4);
  }
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  for (let v = Math.ceil(range[0] / dy) * dy; v <= range[1]; v += dy) {
    line(ctx, 12, py(v), w - 14, py(v));
    if (Math.abs(v) > dy / 2) ctx.fillText(ticks(v), px(0) - 5, py(v));
  }
  ctx.strokeStyle = inks.faint;
  ctx.lineWidth = 1.3;
  line(ctx, 12, py(0), w - 14, py(0));
  line(ctx, px(0), 10, px(0), h - 14);
}

/** @param {CanvasRenderingContext2D} ctx @param {number} x @param {number} y @param {number} x0 @param {number} y0 @param {import("./palette.js").Theme} theme */
function drawPoint(ctx, x, y, x0, y0, theme) {
  const inks = INKS[theme];
  ctx.save();
  ctx.setLineDash([4, 3]);
  ctx.strokeStyle = inks.soft;
  ctx.lineWidth = 1.2;
  line(ctx, x, y0, x, y);
  line(ctx, x0, y, x, y);
  ctx.setLineDash([]);
  ctx.beginPath();
  ctx.arc(x, y, 6.5, 0, 7);
  ctx.fillStyle = inks.now;
  ctx.fill();
  ctx.lineWidth = 1.8;
  ctx.strokeStyle = inks.nowEdge;
  ctx.stroke();
  ctx.restore();
}

/** @param {CanvasRenderingContext2D} ctx @param {number} x0 @param {number} y0 @param {number} x1 @param {number} y1 */
function line(ctx, x0, y0, x1, y1) {
  ctx.beginPath();
  ctx.moveTo(Math.round(x0) + 0.5, Math.round(y0) + 0.5);
  ctx.lineTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
  ctx.stroke();
}

/** A round step that gives three to six ticks. @param {number} span */
export function niceStep(span) {
  const raw = span / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  const lead = raw / power;
  return (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10) * power;
}
