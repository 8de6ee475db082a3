import { html } from "htm/preact";
import { Grid } from "../parts/Grid.js";
import { areaBox, mapMetrics } from "../../draw/map.js";
import { MapView } from "../parts/MapView.js";
import { ZoomLines } from "../parts/ZoomLines.js";
import { cellName, met, planeOf, planeStart, unravel } from "../parts/geometry.js";
import { cellOf, hotTerms, within } from "../parts/links.js";
import { cell as cellText, full, mid } from "../parts/numbers.js";
import { channelName, shadeOf } from "../parts/source.js";

/**
 * One input channel of a convolution: map with the window, window magnified × kernel slice = products → partial sum.
 * @param {{p: import("../../types.d.ts").StageProps, geo: import("./geometry.js").ConvGeometry, channel: number, cell: number, map: number,
 *   links: import("../parts/MapView.js").Area[]}} props channel: counted within the group
 */
export function Row({ p, geo, channel, cell, map, links }) {
  const name = channelName(p, geo.x.tensor, geo.first + channel);
  const partial = p.step.partial ? p.step.partial[channel] : geo.channels === 1 ? p.step.combined : NaN;
  const hot = within(hotTerms(p.step, p.hover), channel * geo.per, geo.per);
  return html`
    <${Source} p=${p} geo=${geo} channel=${channel} cell=${cell} map=${map} name=${name} hot=${hot} links=${links} />
    <div class="op times">×</div>
    <${Kernel} p=${p} geo=${geo} channel=${channel} cell=${cell} name=${name} hot=${hot} />
    <div class="op equals">=</div>
    <${Products} p=${p} geo=${geo} channel=${channel} cell=${cell} name=${name} hot=${hot} />
    <div class="part" title=${full(partial)}>${mid(partial)}<small>${p.t("stage.sum_of", { n: geo.per })}</small></div>`;
}

/** @param {any} props */
function Source({ p, geo, channel, cell, map, name, hot, links }) {
  const { x, slide, shape } = geo;
  const [rows, cols] = geo.size;
  const absolute = geo.first + channel;
  const view = p.tensor(x.tensor);
  const shade = shadeOf(p, x.tensor, absolute);
  const start = planeStart(shape, p.cell[0], absolute);
  const role = p.step.roles[x.name];
  const from = channel * geo.per;
  const tone = shade.accent === "grey" ? (/** @type {number} */ v) => v * (shade.std ?? 1) + (shade.mean ?? 0) : undefined;
  const metrics = mapMetrics({ rows, cols, px: map, pad: geo.pad });
  // a dilated window is spread in the magnified grid, too
  const gap = Math.min(10, 5 * (Math.max(slide.d[0], slide.d[1]) - 1));
  const small = gap ? Math.floor(cell - (gap * (slide.k[1] - 1)) / slide.k[1]) : cell;
  const [gw, gh] = [1, 0].map((a) => slide.k[a] * (small + gap) - gap);
  // the shorter of the two is centred beside the other
  const high = Math.max(metrics.h, gh);
  const at = areaBox(geo.window, metrics);
  const ring = { ...at, y: at.y + (high - metrics.h) / 2 };
  const gridTop = (high - gh) / 2;
  const left = metrics.w + 8 + 22;
  const state = (/** @type {number} */ i) => {
    const at = role.index[from + i];
    if (at < 0) return "pad";
    return at >= 0 && mirrored(geo, at - start) ? "mirror" : null;
  };
  return html`<div class="src">
    <${MapView} plane=${planeOf(view, p.cell[0], absolute)} rows=${rows} cols=${cols} px=${map} shade=${shade} thumb=${view?.thumb ?? false}
      pad=${geo.pad} mirror=${geo.mirror} ring=${geo.window} taps=${gap ? slide : null} tag=${geo.channels > 1 ? tagOf(shade, name, absolute) : ""} text=${cellText} version=${p.step.index}
      label=${`${x.tensor}, ${name}`} reach=${weightReach(p, geo, channel)} links=${[...links, ...pointed(p, geo, start)]}
      full=${(/** @type {number} */ r, /** @type {number} */ c, /** @type {number} */ v) => `${cellName(x.tensor, start + r * cols + c, shape)} = ${full(v)}`}
      hover=${(/** @type {number | null} */ i) => p.setHover(i === null ? null : { tensor: x.tensor, cell: start + i })}
      jump=${(/** @type {number} */ i) => p.jump(x.tensor, start + i)}
      edit=${p.edit && canEdit(p, x.tensor) ? (/** @type {number} */ i, /** @type {number} */ v) => p.edit(x.tensor, unravel(start + i, shape), v) : null} />
    <div class="win">
      <${Grid} rows=${slide.k[0]} cols=${slide.k[1]} cell=${small} gap=${gap} ringed=${true} value=${(/** @type {number} */ i) => role.value[from + i]}
        text=${(/** @type {number} */ i) => cellText(role.value[from + i])} accent=${shade.accent} absmax=${shade.absmax} theme=${p.theme} tone=${tone}
        state=${state} hot=${hot} version=${p.step.index} label=${p.t("stage.window_of", { name })}
        full=${(/** @type {number} */ i) => (role.index[from + i] < 0 ? p.t("stage.padding_cell")
          : `${cellName(x.tensor, role.index[from + i], shape)} = ${full(role.value[from + i])}`)}
        hover=${(/** @type {number | null} */ i) => p.setHover(i === null ? null : { tensor: x.tensor, cell: role.index[from + i], term: from + i })}
        pin=${(/** @type {number} */ i) => p.pin({ tensor: x.tensor, cell: role.index[from + i], term: from + i })}
        edit=${p.edit && canEdit(p, x.tensor) ? (/** @type {number} */ i, /** @type {number} */ v) => role.index[from + i] >= 0
          && p.edit(x.tensor, unravel(role.index[from + i], shape), v) : null} />
    </div>
    <${ZoomLines} w=${left + gw + 8} h=${high + 8} from=${grown(ring)}
      to=${{ x: left + 4, y: gridTop + 4, w: gw, h: gh }} theme=${p.theme} />
  </div>`;
}

/** Room for a name in the corner is scarce: colours by name, channels by number. @param {import("../../draw/heat.js").Shade} shade @param {string} name @param {number} channel */
function tagOf(shade, name, channel) {
  return shade.accent === "grey" ? name : String(channel);
}

/** Inputs can be edited when they were typed in, not when they are a picture. @param {import("../../types.d.ts").StageProps} p @param {string} tensor */
function canEdit(p, tensor) {
  return tensor === "input" && !p.opened.input?.image;
}

/** @param {import("../../draw/motion.js").Box} box */
function grown(box) {
  const [w, h] = [Math.max(7, box.w), Math.max(7, box.h)];
  return { x: box.x - (w - box.w) / 2, y: box.y - (h - box.h) / 2, w, h };
}

/** Was this cell of a padded tensor made by padding? @param {import("./geometry.js").ConvGeometry} geo @param {number} at flat in the plane */
function mirrored({ mirror: [my, mx], size: [rows, cols] }, at) {
  if (!my && !mx) return false;
  const [r, c] = [Math.floor(at / cols), at % cols];
  return r < my || c < mx || r >= rows - my || c >= cols - mx;
}

/** Every input a hovered weight meets while the kernel slides. @param {any} p @param {import("./geometry.js").ConvGeometry} geo @param {number} channel */
function weightReach(p, geo, channel) {
  const at = cellOf(p.hover, geo.w.tensor);
  if (at === null) return null;
  const [, c, ky, kx] = unravel(at, shapeOfWeight(geo));
  if (c !== channel) return null;
  return { rows: met(geo.slide, 0, ky, geo.out[0]), cols: met(geo.slide, 1, kx, geo.out[1]) };
}

/** @param {import("./geometry.js").ConvGeometry} geo */
function shapeOfWeight(geo) {
  return [1, geo.channels, geo.slide.k[0], geo.slide.k[1]].map((n, d) => (d === 0 ? Infinity : n));
}

/** The hovered cell itself, when it lies in this channel. @param {any} p @param {import("./geometry.js").ConvGeometry} geo @param {number} start */
function pointed(p, geo, start) {
  const at = cellOf(p.hover, geo.x.tensor);
  const [rows, cols] = geo.size;
  if (at === null || at < start || at >= start + rows * cols) return [];
  return [{ y: Math.floor((at - start) / cols), x: (at - start) % cols, h: 1, w: 1 }];
}

/** @param {any} props */
function Kernel({ p, geo, channel, cell, name, hot }) {
  const role = p.step.roles[geo.w.name];
  const from = channel * geo.per;
  const { tensor } = geo.w;
  const shape = p.opened.tensors.find((/** @type {any} */ entry) => entry.name === tensor)?.shape ?? [1, geo.channels, ...geo.slide.k];
  return html`<${Grid} rows=${geo.slide.k[0]} cols=${geo.slide.k[1]} cell=${cell} accent="weight" absmax=${p.absmax(tensor, p.cell[1])} theme=${p.theme}
    value=${(/** @type {number} */ i) => role.value[from + i]} text=${(/** @type {number} */ i) => cellText(role.value[from + i])}
    full=${(/** @type {number} */ i) => `${cellName(tensor, role.index[from + i], shape)} = ${full(role.value[from + i])}${p.edit ? ` · ${p.t("stage.edit_hint")}` : ""}`}
    hot=${hot} version=${`${p.step.index} ${role.value[from]}`} label=${p.t("stage.kernel_of", { name })}
    hover=${(/** @type {number | null} */ i) => p.setHover(i === null ? null : { tensor, cell: role.index[from + i], term: from + i })}
    pin=${(/** @type {number} */ i) => p.pin({ tensor, cell: role.index[from + i], term: from + i })}
    edit=${p.edit ? (/** @type {number} */ i, /** @type {number} */ v) => p.edit(tensor, unravel(role.index[from + i], shape), v) : null} />`;
}

/** @param {any} props */
function Products({ p, geo, channel, cell, name, hot }) {
  const from = channel * geo.per;
  const role = p.step.roles[geo.x.name];
  const term = (/** @type {number} */ i) => p.step.terms[from + i];
  // one scale for every step of the map: with a scale per step, flat regions would look as loud as edges
  const absmax = 0.5 * p.absmax(geo.w.tensor, p.cell[1]) * p.absmax(geo.x.tensor, geo.first + channel) || 1;
  const tell = (/** @type {number} */ i) => `${full(role.value[from + i])} × ${full(p.step.roles[geo.w.name].value[from + i])} = ${full(term(i))}`;
  return html`<${Grid} rows=${geo.slide.k[0]} cols=${geo.slide.k[1]} cell=${cell} accent="value" absmax=${absmax} theme=${p.theme}
    value=${term} text=${(/** @type {number} */ i) => cellText(term(i))} full=${tell} hot=${hot} version=${p.step.index}
    state=${(/** @type {number} */ i) => (role.index[from + i] < 0 ? "pad" : null)} label=${p.t("stage.products_of", { name })}
    hover=${(/** @type {number | null} */ i) => p.setHover(i === null ? null : { tensor: p.block.writes, cell: null, term: from + i })}
    pin=${(/** @type {number} */ i) => p.pin({ tensor: p.block.writes, cell: null, term: from + i })} />`;
}
