import { html } from "htm/preact";
import { Destination, MOST_CELL } from "./Destination.js";
import { Grid } from "./Grid.js";
import { areaBox, EDGE, mapMetrics } from "../../draw/map.js";
import { Operand } from "./Operand.js";
import { ZoomLines } from "./ZoomLines.js";
import { cellName, planeSize, planeStart, reached, slideOf, unravel, windowBox } from "./geometry.js";
import { cellOf, hotTerms, within } from "./links.js";
import { cell as cellText, full } from "./numbers.js";
import { shadeOf, shapeOf } from "./source.js";

/** @typedef {import("../../types.d.ts").StageProps} StageProps */

/** Where the window of a pooling step lies; global pooling sees the whole map. @param {StageProps} p */
export function poolGeometry(p) {
  const role = p.block.roles[0];
  const shape = shapeOf(p, role.tensor);
  const size = planeSize(shape);
  const slide = slideOf(p.node.config, false, size);
  const [y, x] = p.block.shape.length >= 4 ? [p.cell[2], p.cell[3]] : [0, 0];
  const channel = shape.length >= 4 ? p.cell[1] : 0;
  return { role, shape, size, slide, window: windowBox(slide, y, x), start: planeStart(shape, p.cell[0], channel), channel,
    out: /** @type {[number, number]} */ (planeSize(p.block.shape)) };
}

/**
 * Pooling: source map with window → window magnified → destination. What stands below differs.
 * @param {{p: StageProps, winner: number, children: any, note?: any}} props winner: term that is the result, −1 for none; note: beside the window
 */
export function Pool({ p, winner, children, note }) {
  const geo = poolGeometry(p);
  const { k } = geo.slide;
  const narrow = p.layout === "narrow";
  const side = Math.max(k[0], k[1]);
  const cell = Math.max(4, Math.min(72, Math.floor((narrow ? 180 : 216) / side)));
  const [rows, cols] = [0, 1].map((a) => geo.size[a] + 2 * geo.slide.p[a]);
  const room = narrow ? Math.min(300, p.size.w - 12) : Math.max(130, Math.min(320, (p.size.w - k[1] * cell - 150) / 2, p.size.h - 130));
  const px = Math.min(room, MOST_CELL * Math.max(rows, cols));
  const x = p.step.roles[geo.role.name];
  const shade = shadeOf(p, geo.role.tensor, geo.channel);
  const metrics = mapMetrics({ rows: geo.size[0], cols: geo.size[1], px, pad: geo.slide.p });
  const [gw, gh] = [k[1] * cell, k[0] * cell];
  const head = 22;
  const gridTop = head + Math.max(0, (metrics.h - gh) / 2);
  const left = metrics.w + 2 * EDGE + 46;
  const ring = areaBox(geo.window, metrics);
  const out = cellOf(p.hover, p.block.writes);
  return html`<div class="pool ${narrow ? "one-column" : ""}">
    <div class="src">
      <${Operand} p=${p} tensor=${geo.role.tensor} px=${px} cell=${geo.start} ring=${geo.window} pad=${geo.slide.p} width=${narrow ? undefined : metrics.w + 2 * EDGE}
        links=${out === null ? [] : [fieldOf(p, geo, out)]} legend />
      <div class="win" style=${narrow ? {} : { marginLeft: "46px", marginTop: `${gridTop}px` }}>
        <${Grid} rows=${k[0]} cols=${k[1]} cell=${cell} ringed=${true} accent=${shade.accent} absmax=${shade.absmax} theme=${p.theme}
          value=${(/** @type {number} */ i) => x.value[i]} text=${(/** @type {number} */ i) => (x.index[i] < 0 ? (Number.isFinite(x.value[i]) ? "0" : "−∞") : cellText(x.value[i]))}
          state=${(/** @type {number} */ i) => (x.index[i] < 0 ? "pad" : null)} version=${p.step.index} label=${p.t("stage.window_of", { name: geo.role.tensor })}
          hot=${winner >= 0 ? new Set([winner, ...(within(hotTerms(p.step, p.hover), 0, x.index.length) ?? [])]) : within(hotTerms(p.step, p.hover), 0, x.index.length)}
          dim=${winner >= 0 ? losers(x.index.length, winner) : null}
          full=${(/** @type {number} */ i) => (x.index[i] < 0 ? p.t("stage.padding_cell") : `${cellName(geo.role.tensor, x.index[i], geo.shape)} = ${full(x.value[i])}`)}
          hover=${(/** @type {number | null} */ i) => p.setHover(i === null ? null : { tensor: geo.role.tensor, cell: x.index[i], term: i })}
          pin=${(/** @type {number} */ i) => p.pin({ tensor: geo.role.tensor, cell: x.index[i], term: i })}
          jump=${(/** @type {number} */ i) => (x.index[i] >= 0 ? p.jump(geo.role.tensor, x.index[i]) : undefined)} />
        ${note}
      </div>
      ${!narrow && html`<${ZoomLines} w=${left + gw + 8} h=${Math.max(metrics.h, gh) + head + 8} from=${{ ...ring, y: ring.y + head }}
        to=${{ x: left + 4, y: gridTop + 4, w: gw, h: gh }} theme=${p.theme} />`}
    </div>
    <div class="op big">→</div>
    <${Destination} p=${p} px=${room} links=${reachOf(p, geo)} />
    ${children}
  </div>`;
}

/** @param {number} n @param {number} winner */
function losers(n, winner) {
  const all = new Set(Array.from({ length: n }, (_, i) => i));
  all.delete(winner);
  return all;
}

/** The window a hovered output cell came from. @param {StageProps} p @param {ReturnType<typeof poolGeometry>} geo @param {number} at */
function fieldOf(p, geo, at) {
  const where = unravel(at, p.block.shape);
  return windowBox(geo.slide, where[2] ?? 0, where[3] ?? 0);
}

/** Outputs a hovered input reaches. @param {StageProps} p @param {ReturnType<typeof poolGeometry>} geo */
function reachOf(p, geo) {
  const at = cellOf(p.hover, geo.role.tensor);
  if (at === null || p.block.shape.length < 4) return [];
  const [, , iy, ix] = unravel(at, geo.shape);
  const xs = reached(geo.slide, 1, ix, geo.out[1]);
  return reached(geo.slide, 0, iy, geo.out[0]).flatMap((y) => xs.map((x) => ({ y, x, h: 1, w: 1 })));
}
