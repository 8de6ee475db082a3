/** A vector in the network map: a bar with its value for each of a few outputs, a tall strip of cells for many. */
import { html } from "htm/preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { planeImage } from "../draw/heat.js";
import { channelOf } from "../lib/phases.js";
import { fixed, number } from "./numbers.js";
import { focus, mapData, opened, scaleMode, t, theme } from "../state.js";
import { NodeLegend } from "./map_legend.js";
import { open } from "./map_thumb.js";
import { painted } from "./painted.js";
import { absmax as absmaxOf } from "./stage_props.js";

/** @typedef {import("../types.d.ts").NodeInfo} NodeInfo */
/** @typedef {import("../types.d.ts").TensorView} TensorView */

/** More bars than this would be thinner than their figures. */
const MOST_BARS = 12;

/** @param {{node: NodeInfo}} props */
export function Vector({ node }) {
  const view = mapData.value.get(node.out);
  const count = node.shape[1];
  useLayoutEffect(() => {
    if (view) painted(node.out, view);
  }, [view]);
  return count <= MOST_BARS ? html`<${Bars} node=${node} view=${view} count=${count} />` : html`<${Strip} node=${node} view=${view} count=${count} />`;
}

/** Bars grow from zero: to the right for positive values, to the left for negative ones. @param {{node: NodeInfo, view: TensorView | undefined, count: number}} props */
function Bars({ node, view, count }) {
  const tr = t.value;
  const absmax = absmaxOf(node.out, 0) || 1;
  const signed = (opened.value?.tensors.find(({ name }) => name === node.out)?.min ?? 0) < 0;
  const at = channelOf(focus.value, node.name);
  return html`<div class="bars" data-maps style=${{ "--n": count }}>${Array.from({ length: count }, (_, i) => {
    const value = view?.data[i] ?? 0;
    const length = `${((Math.abs(value) / absmax) * (signed ? 50 : 100)).toFixed(1)}%`;
    const style = !signed ? { left: "0", width: length } : value < 0 ? { right: "50%", width: length } : { left: "50%", width: length };
    const label = tr("map.unit", { node: node.name, channel: i, value: number(value) });
    return html`<button type="button" key=${i} tabindex="-1" class=${i === at ? "sel" : ""} data-map=${node.name} data-testid=${`map-${node.name}-${i}`}
      aria-label=${label} title=${label} aria-current=${i === at ? "true" : undefined} onClick=${() => open(node.name, i)}>
      <span>${i}</span><span class=${`lane ${signed ? "signed" : ""}`}><i class=${value < 0 ? "minus" : ""} style=${style}></i></span><span>${fixed(value, Math.abs(value) >= 100 ? 1 : Number.isInteger(value) ? 0 : 3)}</span></button>`;
  })}</div>`;
}

/** Height : width of a strip. Tall, because a vector is one long column that has been folded. */
const TALL = 3.2;

/** Hundreds of cells, folded into rows that read like text: cell i lies in row ⌊i / columns⌋.
 * @param {{node: NodeInfo, view: TensorView | undefined, count: number}} props */
function Strip({ node, view, count }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const cols = Math.max(1, Math.round(Math.sqrt(count / TALL)));
  const rows = Math.ceil(count / cols);
  const absmax = absmaxOf(node.out, 0);
  const look = theme.value;
  useLayoutEffect(() => {
    if (!canvas.current || !view) return;
    const data = new Float32Array(rows * cols);
    data.set(view.data.subarray(0, count));
    const image = planeImage({ data, offset: 0, rows, cols }, { accent: "value", absmax, theme: look });
    const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.current.getContext("2d"));
    ctx.clearRect(0, 0, cols, rows);
    ctx.drawImage(image, 0, 0);
    ctx.clearRect(count - (rows - 1) * cols, rows - 1, cols, 1); // the last row may be short
  }, [view, absmax, look]);
  const info = opened.value?.tensors.find(({ name }) => name === node.out);
  const label = t.value("map.vector", { node: node.name, n: count, min: number(info?.min ?? 0), max: number(info?.max ?? 0) });
  const pick = (/** @type {any} */ event) => {
    const box = canvas.current?.getBoundingClientRect();
    const keyed = !event.detail || !box; // Enter and Space click without a place
    const [u, v] = keyed ? [0, 0] : [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    open(node.name, Math.max(0, Math.min(count - 1, Math.floor(v * rows) * cols + Math.floor(u * cols))));
  };
  return html`<div class="maps" data-maps style=${{ "--w": `calc(var(--tall) * ${cols / rows})`, "--h": "var(--tall)" }}>
      <button type="button" tabindex="-1" class=${channelOf(focus.value, node.name) === null ? "" : "sel"} data-map=${node.name} data-testid=${`map-${node.name}-0`}
        aria-label=${label} title=${label} onClick=${pick}><canvas ref=${canvas} class="up" width=${cols} height=${rows}></canvas></button></div>
    <div class="foot" data-foot>${scaleMode.value !== "network" && html`<${NodeLegend} node=${node} channel=${0} />`}</div>`;
}
