import { html } from "htm/preact";
import { Legend } from "./Legend.js";
import { MapView } from "./MapView.js";
import { cellName, planeOf, planeSize, planeStart, ravel } from "./geometry.js";
import { cellOf } from "./links.js";
import { cell as cellText, full } from "./numbers.js";
import { accentFor } from "./source.js";

/** A cell is never drawn larger: a map of one number is no poster. */
export const MOST_CELL = 76;

/** Vectors longer than this are wrapped into rows. */
const ROW = 16;

/**
 * How a channel (or a vector, wrapped) is laid out as a map.
 * @param {number[]} shape
 */
export function layoutOf(shape) {
  const [rows, cols] = planeSize(shape);
  if (rows > 1 || cols <= ROW) return { rows, cols, count: rows * cols };
  const wide = Math.ceil(Math.sqrt(cols));
  return { rows: Math.ceil(cols / wide), cols: wide, count: cols };
}

/**
 * The tensor being written: cells before the cursor, the ring on the one written now, checker for the rest.
 * @param {{p: import("../../types.d.ts").StageProps, px: number, links?: import("./MapView.js").Area[], title?: string, tensor?: string,
 *   cell?: number[], written?: number, mirror?: [number, number]}} props mirror: border made by padding
 */
export function Destination({ p, px, links = [], title, tensor = p.block.writes, mirror, cell = p.cell, written = p.written }) {
  const view = p.tensor(tensor);
  const shape = tensor === p.block.writes ? p.block.shape : view?.shape ?? p.opened.tensors.find((entry) => entry.name === tensor)?.shape ?? [1, 1];
  const channel = shape.length >= 4 ? cell[1] : 0;
  const sample = shape.length >= 2 ? cell[0] : 0;
  const { rows, cols, count } = layoutOf(shape);
  const side = Math.min(px, MOST_CELL * Math.max(rows, cols));
  const start = planeStart(shape, sample, channel);
  const plane = planeOf(view, sample, channel);
  const at = ravel(cell, shape) - start;
  const shade = { accent: accentFor(p, tensor), absmax: p.absmax(tensor, channel), theme: p.theme };
  const pointed = cellOf(p.hover, tensor);
  const areas = [...links];
  if (pointed !== null && pointed >= start && pointed < start + count && pointed !== start + at) {
    areas.push({ y: Math.floor((pointed - start) / cols), x: (pointed - start) % cols, h: 1, w: 1 });
  }
  const name = title ?? (shape.length >= 4 ? `${tensor}, ${p.t("stage.channel", { c: channel })}` : tensor);
  return html`<div class="dest">
    <div class="head">${name}</div>
    <${MapView} plane=${plane && { ...plane, rows, cols, count }} rows=${rows} cols=${cols} px=${side} shade=${shade} thumb=${view?.thumb ?? false}
      mirror=${mirror} written=${Math.max(0, Math.min(count, written - start))} links=${areas} label=${name} text=${cellText} version=${`${p.step.index} ${tensor}`}
      ring=${at >= 0 && at < count ? { y: Math.floor(at / cols), x: at % cols, h: 1, w: 1 } : null}
      full=${(/** @type {number} */ r, /** @type {number} */ c, /** @type {number} */ v) => `${cellName(tensor, start + r * cols + c, shape)} = ${full(v)}`}
      hover=${(/** @type {number | null} */ i) => p.setHover(i === null || i >= count ? null : { tensor, cell: start + i })}
      jump=${(/** @type {number} */ i) => i < count && p.jump(tensor, start + i)} />
    <${Legend} accent=${shade.accent} absmax=${shade.absmax} theme=${p.theme} scope=${p.scaleMode ?? "layer"} w=${Math.min(side, 300)} t=${p.t} />
  </div>`;
}
