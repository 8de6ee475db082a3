import { drawGrid, drawHatch, NUMBER_PX } from "./grid.js";
import { paintPlane, planeImage } from "./heat.js";
import { INKS } from "./palette.js";
import { drawLink, drawRing } from "./ring.js";

/** Room around a map for the ring and the border. */
export const EDGE = 4;

/**
 * @typedef {{y: number, x: number, h: number, w: number}} Area in cells of the map, may reach into the padding
 * @typedef {object} MapPicture
 * @property {import("./heat.js").Plane | null} plane null while it is on its way
 * @property {number} rows
 * @property {number} cols
 * @property {number} px room for the longer side, CSS pixels
 * @property {import("./heat.js").Shade} shade
 * @property {boolean} [thumb] the plane is pooled: no numbers
 * @property {[number, number]} [pad] padding drawn around it (rows, columns)
 * @property {[number, number]} [mirror] border of the map itself that was made by padding
 * @property {number} [written] cells written so far
 * @property {Area | null} [ring] the window or cell of now
 * @property {{k: [number, number], d: [number, number]} | null} [taps] a dilated window: mark the cells it reads
 * @property {Area[]} [links] linked with the pointer
 * @property {{rows: number[], cols: number[]} | null} [reach] shaded lattice
 * @property {string} [tag] written into the corner
 * @property {(v: number) => string} text
 */

/** Size of a cell and of the picture. @param {Pick<MapPicture, "rows" | "cols" | "px" | "pad">} map */
export function mapMetrics({ rows, cols, px, pad = [0, 0] }) {
  const cell = px / Math.max(rows + 2 * pad[0], cols + 2 * pad[1]);
  return { cell, w: cell * (cols + 2 * pad[1]), h: cell * (rows + 2 * pad[0]), left: EDGE + cell * pad[1], top: EDGE + cell * pad[0] };
}

/** Where an area lies on the canvas. @param {Area} area @param {ReturnType<typeof mapMetrics>} m */
export function areaBox(area, m) {
  return { x: m.left + area.x * m.cell, y: m.top + area.y * m.cell, w: area.w * m.cell, h: area.h * m.cell };
}

/** How the cells of a map are coloured and written. @param {MapPicture} props */
export function cellsOf(props) {
  const { plane, rows, cols, shade, mirror = [0, 0], written = Infinity } = props;
  const data = /** @type {import("./heat.js").Plane} */ (plane);
  return {
    value: (/** @type {number} */ i) => data.data[data.offset + i],
    text: (/** @type {number} */ i) => props.text(data.data[data.offset + i]),
    accent: shade.accent, absmax: shade.absmax, theme: shade.theme,
    tone: shade.mean || (shade.std ?? 1) !== 1 ? (/** @type {number} */ v) => v * (shade.std ?? 1) + (shade.mean ?? 0) : undefined,
    state: (/** @type {number} */ i) => {
      if (i >= (data.count ?? Infinity)) return /** @type {const} */ ("none");
      if (i >= written) return /** @type {const} */ ("unwritten");
      const [r, c] = [Math.floor(i / cols), i % cols];
      const border = r < mirror[0] || c < mirror[1] || r >= rows - mirror[0] || c >= cols - mirror[1];
      return border ? /** @type {const} */ ("mirror") : null;
    },
  };
}

/**
 * Paints a map: padding, cells, shaded reach, links, ring.
 * @param {CanvasRenderingContext2D} ctx @param {MapPicture} props @param {ReturnType<typeof mapMetrics>} m
 * @param {import("./motion.js").Box | null} ring @param {number} at keyboard position
 */
export function drawMap(ctx, props, m, ring, at) {
  const { plane, rows, cols, shade, pad = [0, 0], mirror = [0, 0], links = [] } = props;
  const { theme } = shade;
  const inks = INKS[theme];
  ctx.save();
  ctx.beginPath();
  ctx.roundRect(EDGE, EDGE, m.w, m.h, Math.min(5, m.w / 12));
  ctx.clip();
  if (pad[0] || pad[1]) drawPadding(ctx, props, m);
  const box = { x: m.left, y: m.top, w: cols * m.cell, h: rows * m.cell };
  if (!plane) {
    ctx.fillStyle = inks.wash;
    ctx.fillRect(box.x, box.y, box.w, box.h);
  } else if (m.cell >= NUMBER_PX && !props.thumb) {
    ctx.fillStyle = inks.paper;
    ctx.fillRect(box.x, box.y, box.w, box.h);
    drawGrid(ctx, m.left, m.top, { ...cellsOf(props), rows, cols, cell: m.cell });
  } else {
    paintPlane(ctx, planeImage(plane, shade), box, { rows, cols, theme, written: props.written });
    if (mirror[0] || mirror[1]) hatchBorder(ctx, box, m.cell, mirror, theme);
  }
  if (props.reach) shadeReach(ctx, m, props.reach, inks.now, inks.nowEdge);
  ctx.restore();
  ctx.strokeStyle = inks.line;
  ctx.lineWidth = 1;
  ctx.beginPath();
  ctx.roundRect(EDGE - 0.5, EDGE - 0.5, m.w + 1, m.h + 1, Math.min(5, m.w / 12));
  ctx.stroke();
  if (props.taps && props.ring) drawTaps(ctx, props.taps, props.ring, m, inks.now);
  for (const link of links) drawLink(ctx, grown(areaBox(link, m), 7), theme);
  if (ring) drawRing(ctx, grown(ring, 5), theme, { width: m.cell * (props.ring?.w ?? 1) > 40 ? 2.5 : 2.2, grow: 1 });
  if (at >= 0) drawLink(ctx, grown(areaBox({ y: Math.floor(at / cols), x: at % cols, h: 1, w: 1 }, m), 7), theme, { dashed: true });
  if (props.tag) writeTag(ctx, props.tag, EDGE + 6, EDGE + 11);
}

/** @param {CanvasRenderingContext2D} ctx @param {{k: [number, number], d: [number, number]}} slide @param {Area} ring @param {ReturnType<typeof mapMetrics>} m @param {string} colour */
function drawTaps(ctx, { k, d }, ring, m, colour) {
  ctx.save();
  ctx.fillStyle = ctx.strokeStyle = colour;
  ctx.lineWidth = 2;
  for (let r = 0; r < k[0]; r++) {
    for (let c = 0; c < k[1]; c++) {
      const box = areaBox({ y: ring.y + r * d[0], x: ring.x + c * d[1], h: 1, w: 1 }, m);
      // in large cells an outline, so that the value's colour stays to be seen
      if (m.cell >= 8) ctx.strokeRect(box.x + 1.5, box.y + 1.5, box.w - 3, box.h - 3);
      else ctx.fillRect(box.x, box.y, box.w, box.h);
    }
  }
  ctx.restore();
}

/** At least `min` pixels, about the same centre: a one-pixel cell must still be findable. @param {{x: number, y: number, w: number, h: number}} box @param {number} min */
function grown(box, min) {
  const [w, h] = [Math.max(min, box.w), Math.max(min, box.h)];
  return { x: box.x - (w - box.w) / 2, y: box.y - (h - box.h) / 2, w, h };
}

/** @param {CanvasRenderingContext2D} ctx @param {MapPicture} props @param {ReturnType<typeof mapMetrics>} m */
function drawPadding(ctx, { pad = [0, 0], rows, cols, shade }, m) {
  drawHatch(ctx, EDGE, EDGE, m.w, m.h, shade.theme);
  if (m.cell < NUMBER_PX) return;
  ctx.fillStyle = INKS[shade.theme].faint;
  ctx.font = `500 12px "Inter var", Inter, system-ui, sans-serif`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  for (let r = -pad[0]; r < rows + pad[0]; r++) {
    for (let c = -pad[1]; c < cols + pad[1]; c++) {
      if (r >= 0 && r < rows && c >= 0 && c < cols) continue;
      ctx.fillText("0", m.left + (c + 0.5) * m.cell, m.top + (r + 0.5) * m.cell);
    }
  }
}

/** @param {CanvasRenderingContext2D} ctx @param {{x: number, y: number, w: number, h: number}} box @param {number} cell
 * @param {[number, number]} mirror @param {import("./palette.js").Theme} theme */
function hatchBorder(ctx, box, cell, [my, mx], theme) {
  const [top, side] = [my * cell, mx * cell];
  drawHatch(ctx, box.x, box.y, box.w, top, theme, false);
  drawHatch(ctx, box.x, box.y + box.h - top, box.w, top, theme, false);
  drawHatch(ctx, box.x, box.y + top, side, box.h - 2 * top, theme, false);
  drawHatch(ctx, box.x + box.w - side, box.y + top, side, box.h - 2 * top, theme, false);
}

/** Every cell that is met: one rectangle when they touch, a lattice when the stride skips. @param {CanvasRenderingContext2D} ctx
 * @param {ReturnType<typeof mapMetrics>} m @param {{rows: number[], cols: number[]}} reach @param {string} fill @param {string} edge */
function shadeReach(ctx, m, { rows, cols }, fill, edge) {
  if (!rows.length || !cols.length) return;
  const [y0, y1] = [rows[0], rows[rows.length - 1] + 1];
  const [x0, x1] = [cols[0], cols[cols.length - 1] + 1];
  ctx.save();
  ctx.globalAlpha = 0.34;
  ctx.fillStyle = fill;
  if (y1 - y0 === rows.length && x1 - x0 === cols.length) {
    ctx.fillRect(m.left + x0 * m.cell, m.top + y0 * m.cell, (x1 - x0) * m.cell, (y1 - y0) * m.cell);
  } else {
    ctx.globalAlpha = 0.5;
    for (const r of rows) for (const c of cols) ctx.fillRect(m.left + c * m.cell, m.top + r * m.cell, m.cell, m.cell);
  }
  ctx.globalAlpha = 0.9;
  ctx.strokeStyle = edge;
  ctx.lineWidth = 1;
  ctx.setLineDash([3, 3]);
  ctx.strokeRect(m.left + x0 * m.cell + 0.5, m.top + y0 * m.cell + 0.5, (x1 - x0) * m.cell - 1, (y1 - y0) * m.cell - 1);
  ctx.restore();
}

/** @param {CanvasRenderingContext2D} ctx @param {string} tag @param {number} x @param {number} y */
function writeTag(ctx, tag, x, y) {
  ctx.save();
  ctx.font = `600 11px "Inter var", Inter, system-ui, sans-serif`;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  const w = ctx.measureText(tag).width;
  ctx.fillStyle = "rgba(20,21,26,.66)";
  ctx.beginPath();
  ctx.roundRect(x - 4, y - 8, w + 8, 16, 4);
  ctx.fill();
  ctx.fillStyle = "#fff";
  ctx.fillText(tag, x, y + 0.5);
  ctx.restore();
}
