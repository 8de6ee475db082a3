/** What the network map shows besides on the way back: gradients' norms, kernels with their gradients, and the loss that it all starts from. */
import { effect, useComputed } from "@preact/signals";
import { html } from "htm/preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { jumpTo } from "../actions.js";
import { drawPixels } from "../draw/heat.js";
import { blockAt, ravel, unravel } from "../lib/cells.js";
import { backwards, cursor, focus, gradMaps, looping, opened, t, theme } from "../state.js";
import { ask, fetchMap } from "../tensors.js";
import { openGradient, Thumb } from "./map_thumb.js";
import { number } from "./numbers.js";
import { absmax } from "./stage_props.js";

/** @typedef {import("../types.d.ts").NodeInfo} NodeInfo */

/** Kernel slices of a layer that find room beside its maps. */
const SLICES = 3;
/** A bar of a norm spans this many powers of ten below the largest. */
const DECADES = 5;
const INPUT = "input.grad";

// ---- gradients of the maps, fetched when the way back begins

effect(() => {
  const trace = opened.value;
  if (!trace || !backwards.value) return;
  const names = ["input", ...trace.nodes.map(({ out }) => out)].map((out) => `${out}.grad`).filter((name) => trace.tensors.some((info) => info.name === name));
  Promise.all(names.map((name) => fetchMap(trace, name))).then((views) => {
    if (opened.peek() === trace) gradMaps.value = new Map(views.map((view) => [view.name, view]));
  }, () => { /* the next trace, or the next way back, asks again */ });
});

/** Under the input, the gradient of each of its channels. @param {{at: number | null, born: number}} props */
export function InputGradient({ at, born }) {
  const shape = opened.value?.tensors.find(({ name }) => name === INPUT)?.shape;
  if (shape?.length !== 4) return null;
  return html`<div class="maps input-grad" style=${{ "--n": shape[1] }}>${Array.from({ length: shape[1] }, (_, channel) => html`<${Thumb} key=${channel} node="input" name=${INPUT}
    view=${gradMaps.value.get(INPUT)} channel=${channel} shape=${shape} selected=${at === channel} dim=${channel >= born} grad />`)}</div>`;
}

// ---- kernels

/** The slices of the kernel of one output channel, each above its gradient. @param {{node: NodeInfo}} props */
export function Kernels({ node }) {
  const trace = opened.value;
  const weight = node.params.find(({ shape }) => shape.length === 4);
  const name = `${weight?.name}.grad`;
  const block = trace?.blocks.find(({ writes }) => writes === name);
  const born = useComputed(() => block !== undefined && cursor.value >= block.start).value;
  const o = useComputed(() => (weight ? outputOf(weight.name, node, weight.shape) : 0)).value;
  const [planes, setPlanes] = useState(/** @type {{key: string, weight: any, grad: any} | null} */ (null));
  const key = `${trace?.trace} ${name} ${o}`;
  useEffect(() => {
    if (!trace || !weight || !block) return undefined;
    let wanted = true;
    const [, channels, rows, cols] = weight.shape;
    const slice = [[o, o + 1], [0, Math.min(SLICES, channels)], [0, rows], [0, cols]];
    Promise.all([weight.name, name].map(async (tensor) => (await ask(trace, { type: "tensor", name: tensor, slice })).columns[tensor].data))
      .then(([w, g]) => { if (wanted) setPlanes({ key, weight: w, grad: g }); }, () => { /* asked again with the next step that needs it */ });
    return () => { wanted = false; };
  }, [key]);
  if (!weight || !block) return null;
  const [, channels, rows, cols] = weight.shape;
  return html`<div class="slices">${Array.from({ length: Math.min(SLICES, channels) }, (_, c) => html`<div key=${c} class="pair">
    <${Slice} data=${planes?.weight} offset=${c * rows * cols} rows=${rows} cols=${cols} name=${weight.name} accent="weight" label=${`${weight.name}[${o}, ${c}]`} />
    <button type="button" class=${`grad ${born ? "" : "later"}`} data-testid=${`weight-grad-${node.name}-${c}`} title=${`${name}[${o}, ${c}]`} aria-label=${`${name}[${o}, ${c}]`}
      onClick=${() => openGradient(name, ravel([o, c, 0, 0], weight.shape))}>
      <${Slice} data=${planes?.grad} offset=${c * rows * cols} rows=${rows} cols=${cols} name=${name} accent="grad" label=${`${name}[${o}, ${c}]`} /></button></div>`)}</div>`;
}

/** The output channel whose kernel is shown: that of the step, else of the open map. @param {string} weight @param {NodeInfo} node @param {number[]} shape */
function outputOf(weight, node, shape) {
  const blocks = opened.value?.blocks ?? [];
  const block = blocks[blockAt(blocks, cursor.value)];
  if (!block || block.node !== node.name) return 0;
  const at = unravel(cursor.value - block.start, block.shape);
  const channel = block.writes.startsWith(`${weight}.`) ? at[0] : block.writes.startsWith(`${node.name}.`) ? focus.value?.channel ?? 0 : 0;
  return Math.min(channel, shape[0] - 1);
}

/** @param {{data: import("../types.d.ts").Numbers | undefined, offset: number, rows: number, cols: number, name: string, accent: "weight" | "grad", label: string}} props */
function Slice({ data, offset, rows, cols, name, accent, label }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const most = absmax(name, 0);
  const look = theme.value;
  useLayoutEffect(() => {
    if (canvas.current && data) drawPixels(canvas.current, { data, offset, rows, cols }, { accent, absmax: most, theme: look });
  }, [data, offset, most, look]);
  return html`<canvas ref=${canvas} class="up" width=${cols} height=${rows} title=${label}></canvas>`;
}

// ---- norms

/** Bars of the norms of a node's gradients, on one logarithmic scale for the whole network. @param {{node: NodeInfo, born: boolean}} props */
export function Norms({ node, born }) {
  const weight = node.params.find(({ shape }) => shape.length > 1);
  return html`<div class="norms">
    <${Norm} tensor=${`${node.out}.grad`} symbol="δ" testid=${`norm-${node.name}`} born=${born} />
    ${weight && html`<${Norm} tensor=${`${weight.name}.grad`} symbol="∂W" testid=${`norm-weight-${node.name}`} born=${born} />`}</div>`;
}

/** @param {{tensor: string, symbol: string, testid: string, born: boolean}} props */
function Norm({ tensor, symbol, testid, born }) {
  const norms = opened.value?.norms ?? {};
  if (!(tensor in norms)) return null;
  const norm = norms[tensor];
  const most = Math.max(...Object.values(norms).map((one) => one ?? 0));
  const share = norm ? Math.max(0, 1 + Math.log10(norm / most) / DECADES) : 0;
  const shown = norm === null ? "NaN" : norm >= 1e-3 && norm < 1e4 ? String(Number(norm.toPrecision(3))) : norm.toExponential(1).replace("-", "−").replace("+", "");
  const label = t.value("map.norm", { name: tensor, value: shown, decades: DECADES });
  return html`<p class=${`norm ${born ? "" : "later"}`} title=${label} data-testid=${testid} data-norm=${norm}>
    <span aria-hidden="true">${symbol}</span><span class="lane"><i style=${{ width: `${(100 * share).toFixed(1)}%` }}></i></span><b>${shown}</b><span class="vh">${label}</span></p>`;
}

// ---- the loss

/** Names of the parts of a loss, in the order in which they are stacked. */
const PARTS = ["data", "l1", "l2"];

/** The end of the way forward and the start of the way back: the loss, with its parts stacked. */
export function LossNode() {
  const tr = t.value;
  const trace = opened.value;
  const reached = useComputed(() => { // a boolean, so that a step draws nothing anew
    const block = opened.value?.blocks.find(({ phase }) => phase === "loss");
    return block !== undefined && (cursor.value >= block.start || !focus.value);
  }).value;
  const on = useComputed(() => {
    const blocks = opened.value?.blocks ?? [];
    return focus.value !== null && blocks[blockAt(blocks, cursor.value)]?.phase === "loss";
  }).value;
  if (!trace || trace.loss === undefined) return null;
  const parts = PARTS.map((part) => ({ part, value: trace.loss_parts?.[`loss.${part}`] })).filter(({ value }) => value !== undefined);
  const whole = parts.reduce((sum, { value }) => sum + Math.abs(value ?? 0), 0) || 1;
  const total = trace.loss === null ? "NaN" : number(trace.loss);
  const label = tr("map.loss", { value: total });
  return html`<section class=${`node loss ${reached ? "" : "dim"}`} data-node="loss" data-testid="node-loss">
    <h3>${tr("phase.loss")}</h3><p class="sh">${tr(`kind.${trace.scenario.loss?.kind ?? "cross_entropy"}`)}</p>
    <div data-maps><button type="button" tabindex="-1" class=${`loss-box ${on ? "sel" : ""}`} data-map="loss" title=${label} aria-label=${label} onClick=${() => void jumpTo("loss", 0)}>
      <b data-testid="loss-value" data-value=${trace.loss}>${total}</b>
      <span class="stack" aria-hidden="true">${parts.map(({ part, value }) => html`<i key=${part} class=${part} style=${{ width: `${((100 * Math.abs(value ?? 0)) / whole).toFixed(2)}%` }}></i>`)}</span>
      ${parts.length > 1 && parts.map(({ part, value }) => html`<small key=${part} data-testid=${`loss-part-${part}`}><i class=${part}></i>${tr(`map.loss.${part}`)} ${value == null ? "NaN" : number(value)}</small>`)}
    </button></div><${Change} loss=${trace.loss} /></section>`;
}

/** What the last update did to the loss, and what this one promises to first order. @param {{loss: number | null}} props */
function Change({ loss }) {
  const tr = t.value;
  const now = looping.value;
  const before = now?.losses[now.losses.length - 1] ?? null;
  const promised = opened.value?.predicted_change;
  return html`<div class="loss-change">
    ${now && before !== null && html`<p data-testid="loss-before" data-value=${before}>${tr("loop.before", { value: number(before) })}</p>
      ${loss !== null && html`<p><b data-testid="loss-change">${signed(loss - before)}</b>${now.predicted !== null && html` · ${tr("loop.predicted")} <span data-testid="loss-predicted" data-value=${now.predicted}>${signed(now.predicted)}</span>`}</p>`}`}
    ${!now && backwards.value && promised != null && html`<p title=${tr("loop.promise.about")}>${tr("loop.promise")} <b data-testid="loss-promise" data-value=${promised}>${signed(promised)}</b></p>`}</div>`;
}

/** A change, with its sign. @param {number} v */
const signed = (v) => (v > 0 ? `+${number(v)}` : number(v));
