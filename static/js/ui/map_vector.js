/** A vector in the network map: a bar with its value for each of a few outputs, a tall strip of cells for many. */
import { html } from "htm/preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { planeImage } from "../draw/heat.js";
import { channelOf } from "../lib/phases.js";
import { fixed, number, tiny } from "./numbers.js";
import { focus, gradMaps, mapData, opened, sample, t, theme } from "../state.js";
import { open, openGradient } from "./map_thumb.js";
import { painted } from "./painted.js";
import { absmax as absmaxOf } from "./stage_props.js";

/** @typedef {import("../types.d.ts").NodeInfo} NodeInfo */
/** @typedef {import("../types.d.ts").TensorView} TensorView */

/** More bars than this would be thinner than their figures. */
export const MOST_BARS = 12;

/**
 * @typedef {{node: NodeInfo, name: string, view: TensorView | undefined, count: number, at: number | null, grad: boolean, dim: boolean}} Props
 *   name: of the tensor; at: the cell that is open; grad: it is the gradient of the node's output
 */

/** @param {{node: NodeInfo, name?: string, at?: number | null, grad?: boolean, dim?: boolean}} props */
export function Vector({ node, name = node.out, at = channelOf(focus.value, node.name), grad = false, dim = false }) {
  const whole = (grad ? gradMaps : mapData).value.get(name);
  const count = node.shape[1];
  const first = Math.min(sample.value, node.shape[0] - 1) * count;
  const view = whole && first > 0 ? { ...whole, data: whole.data.subarray(first, first + count) } : whole;
  useLayoutEffect(() => {
    if (whole && !grad) painted(name, whole);
  }, [whole]);
  const Kind = count <= MOST_BARS ? Bars : Strip;
  return html`<${Kind} node=${node} name=${name} view=${view} count=${count} at=${at} grad=${grad} dim=${dim} />`;
}

/** What a click on a cell opens. @param {Props} props @param {number} i */
function openCell({ node, name, count, grad }, i) {
  if (grad) openGradient(name, Math.min(sample.value, node.shape[0] - 1) * count + i);
  else open(node.name, i);
}

/** Bars grow from zero: to the right for positive values, to the left for negative ones. @param {Props} props */
function Bars(props) {
  const { node, name, view, count, at, grad, dim } = props;
  const tr = t.value;
  const absmax = absmaxOf(name, 0) || 1;
  const signed = (opened.value?.tensors.find((info) => info.name === name)?.min ?? 0) < 0;
  return html`<div class=${`bars ${grad ? "grad" : ""} ${dim ? "later" : ""}`} data-maps=${grad ? undefined : ""} style=${{ "--n": count }}>${Array.from({ length: count }, (_, i) => {
    const value = view?.data[i] ?? 0;
    const length = `${((Math.abs(value) / absmax) * (signed ? 50 : 100)).toFixed(1)}%`;
    const style = !signed ? { left: "0", width: length } : value < 0 ? { right: "50%", width: length } : { left: "50%", width: length };
    const label = tr(grad ? "map.gradient.unit" : "map.unit", { node: node.name, channel: i, value: number(value) });
    return html`<button type="button" key=${i} tabindex="-1" class=${i === at ? "sel" : ""} data-map=${node.name} data-testid=${`${grad ? "grad" : "map"}-${node.name}-${i}`}
      aria-label=${label} title=${label} aria-current=${i === at ? "true" : undefined} onClick=${() => openCell(props, i)}>
      <span>${i}</span><span class=${`lane ${signed ? "signed" : ""}`}><i class=${value < 0 ? "minus" : ""} style=${style}></i></span><span>${grad && Math.abs(value) < 5e-4 ? tiny(value) : fixed(value, Math.abs(value) >= 100 ? 1 : Number.isInteger(value) ? 0 : 3)}</span></button>`;
  })}</div>`;
}

/** Height : width of a strip. Tall, because a vector is one long column that has been folded. */
const TALL = 3.2;

/** Hundreds of cells, folded into rows that read like text: cell i lies in row ⌊i / columns⌋.
 * @param {Props} props */
function Strip(props) {
  const { node, name, view, count, at, grad, dim } = props;
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const cols = Math.max(1, Math.round(Math.sqrt(count / TALL)));
  const rows = Math.ceil(count / cols);
  const absmax = absmaxOf(name, 0);
  const look = theme.value;
  useLayoutEffect(() => {
    if (!canvas.current || !view) return;
    const data = new Float32Array(rows * cols);
    data.set(view.data.subarray(0, count));
    const image = planeImage({ data, offset: 0, rows, cols }, { accent: grad ? "grad" : "value", absmax, theme: look });
    const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.current.getContext("2d"));
    ctx.clearRect(0, 0, cols, rows);
    ctx.drawImage(image, 0, 0);
    ctx.clearRect(count - (rows - 1) * cols, rows - 1, cols, 1); // the last row may be short
  }, [view, absmax, look]);
  const info = opened.value?.tensors.find((one) => one.name === name);
  const label = t.value(grad ? "map.gradient.vector" : "map.vector", { node: node.name, n: count, min: number(info?.min ?? 0), max: number(info?.max ?? 0) });
  const pick = (/** @type {any} */ event) => {
    const box = canvas.current?.getBoundingClientRect();
    const keyed = !event.detail || !box; // Enter and Space click without a place
    const [u, v] = keyed ? [0, 0] : [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    openCell(props, Math.max(0, Math.min(count - 1, Math.floor(v * rows) * cols + Math.floor(u * cols))));
  };
  return html`<div class="maps" data-maps=${grad ? undefined : ""} style=${{ "--w": `calc(var(--tall) * ${cols / rows})`, "--h": "var(--tall)" }}>
      <button type="button" tabindex="-1" class=${`${at === null ? "" : "sel"} ${grad ? "grad" : ""} ${dim ? "later" : ""}`} data-map=${node.name}
        data-testid=${`${grad ? "grad" : "map"}-${node.name}-0`} aria-label=${label} title=${label} onClick=${pick}><canvas ref=${canvas} class="up" width=${cols} height=${rows}></canvas></button></div>`;
}
