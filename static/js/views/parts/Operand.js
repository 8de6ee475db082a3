import { html } from "htm/preact";
import { Legend } from "./Legend.js";
import { layoutOf, MOST_CELL } from "./Destination.js";
import { MapView } from "./MapView.js";
import { cellName, planeOf, planeStart, unravel } from "./geometry.js";
import { cellOf } from "./links.js";
import { cell as cellText, full } from "./numbers.js";
import { channelName, shadeOf, shapeOf } from "./source.js";

/**
 * The plane of a tensor that a flat cell lies in, with a ring or links, hover and jump: the source side of most views.
 * @param {{p: import("../../types.d.ts").StageProps, tensor: string, px: number, cell: number, ring?: import("./MapView.js").Area | null, title?: string,
 *   links?: import("./MapView.js").Area[], pad?: [number, number], taps?: import("./geometry.js").Slide | null, legend?: boolean, width?: number}} props
 *   cell: any flat cell of the plane to show; ring: that very cell when left out, none when null
 */
export function Operand({ p, tensor, px, cell, ring, title, links = [], pad = [0, 0], taps = null, legend = false, width }) {
  const shape = shapeOf(p, tensor);
  const where = unravel(Math.max(0, cell), shape);
  const channel = shape.length >= 4 ? where[1] : 0;
  const start = planeStart(shape, where[0], channel);
  const { rows, cols, count } = layoutOf(shape);
  const view = p.tensor(tensor);
  const plane = planeOf(view, where[0], channel);
  const shade = shadeOf(p, tensor, channel);
  const side = Math.min(px, MOST_CELL * Math.max(rows + 2 * pad[0], cols + 2 * pad[1]));
  const at = cell - start;
  const one = (/** @type {number} */ i) => ({ y: Math.floor(i / cols), x: i % cols, h: 1, w: 1 });
  const pointed = cellOf(p.hover, tensor);
  const areas = pointed !== null && pointed >= start && pointed < start + count ? [...links, one(pointed - start)] : links;
  const name = title ?? (shape.length >= 4 ? `${tensor}, ${channelName(p, tensor, channel)}` : tensor);
  return html`<div class="dest" style=${width ? { width: `${width}px` } : {}}>
    <div class="head">${name}</div>
    <${MapView} plane=${plane && { ...plane, rows, cols, count }} rows=${rows} cols=${cols} px=${side} shade=${shade} thumb=${view?.thumb ?? false}
      pad=${pad} taps=${taps} ring=${ring === undefined ? (cell >= 0 ? one(at) : null) : ring} links=${areas} label=${name} text=${cellText}
      version=${`${p.step?.index} ${tensor} ${count}`}
      full=${(/** @type {number} */ r, /** @type {number} */ c, /** @type {number} */ v) => `${cellName(tensor, start + r * cols + c, shape)} = ${full(v)}`}
      hover=${(/** @type {number | null} */ i) => p.setHover(i === null || i >= count ? null : { tensor, cell: start + i })}
      jump=${(/** @type {number} */ i) => i < count && p.jump(tensor, start + i)}
      edit=${p.edit && tensor === "input" && !p.opened.input?.image
        ? (/** @type {number} */ i, /** @type {number} */ v) => p.edit?.(tensor, unravel(start + i, shape), v) : null} />
    ${legend && html`<${Legend} accent=${shade.accent} absmax=${shade.absmax} theme=${p.theme} scope=${shade.accent === "grey" ? "" : p.scaleMode ?? "layer"} w=${Math.min(side, 300)} t=${p.t} />`}
  </div>`;
}
