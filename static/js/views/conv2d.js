import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Others } from "./conv/Others.js";
import { Row } from "./conv/Row.js";
import { convGeometry, convLayout } from "./conv/geometry.js";
import { Destination } from "./parts/Destination.js";
import { SumChips } from "./parts/SumChips.js";
import { cellName, planeStart, ravel, reached, unravel, windowBox } from "./parts/geometry.js";
import { cellOf } from "./parts/links.js";
import { fixed, full, mid } from "./parts/numbers.js";
import { channelName } from "./parts/source.js";
import { Copy, explainCopy } from "./parts/Copy.js";

/** @typedef {import("../types.d.ts").StageProps} StageProps */
/** @typedef {import("./conv/geometry.js").ConvGeometry} ConvGeometry */

/** Channels shown in full. */
const OPEN = 3;
/** The three largest channels are chosen anew when no step has followed for this long; rows that swap at 60 steps/s cannot be read. */
const REST_MS = 350;

/**
 * Convolution: all input channels at once, each with its kernel slice, its products and its partial sum; then the sum, + bias, = the output cell.
 * @param {StageProps} p
 */
export function View(p) {
  if (p.block.writes.endsWith(".padded")) return html`<${Copy} ...${p} />`;
  return html`<${Convolution} ...${p} />`;
}

/** @param {StageProps} p */
function Convolution(p) {
  const geo = convGeometry(p);
  const { open, others, pinOpen } = useOpenChannels(p, geo);
  const narrow = p.layout === "narrow";
  const size = convLayout(p.size, open.length, others.length, geo.slide.k, narrow);
  const chips = html`<${SumChips} chips=${chipsOf(p, geo, open, others)} leave=${() => p.setHover(null)} />`;
  // on a short stage the other channels stand beside the destination, where there is room
  const beside = !size.chipsBelow && !narrow;
  const list = others.length > 0 && html`<${Others} p=${p} geo=${geo} channels=${others} height=${beside ? size.dest + 20 : size.listHeight}
    columns=${narrow || beside ? 1 : 3} open=${pinOpen} />`;
  const dest = html`<div class="dest-slot">
    <div class="dest-row"><${Destination} p=${p} px=${size.dest} links=${inputReach(p, geo)} />${beside && list}</div>
    ${!size.chipsBelow && chips}
  </div>`;
  const links = outputField(p, geo);
  return html`<div class=${`conv ${narrow ? "one-column" : ""}`}>
    <div class="conv-main">
      <div class="rows">
        <div class="head">${p.t("stage.head_window", { y: fixed(geo.window.y, 0), x: fixed(geo.window.x, 0) })}</div>
        <div class="head kernel-head">${p.t("stage.head_kernel")}</div>
        <div class="head products-head">${p.t("stage.head_products")}</div>
        <div class="head partial-head">${p.t("stage.head_partial")}</div>
        ${open.map((c) => html`<${Row} key=${c} p=${p} geo=${geo} channel=${c} cell=${size.cell} map=${size.map} links=${links} />`)}
      </div>
      ${!beside && list}
      ${size.chipsBelow && chips}
    </div>
    ${dest}
  </div>`;
}

/**
 * The channels in full: all up to three, else the three largest |partial sum| at rest, in order of their number, plus one chosen by hand.
 * @param {StageProps} p @param {ConvGeometry} geo
 */
function useOpenChannels(p, geo) {
  const chosen = useRef(/** @type {number | null} */ (null));
  const [rest, setRest] = useRest(p.step.index, geo.channels > OPEN);
  const held = useRef(/** @type {{key: string, open: number[]}} */ ({ key: "", open: [] }));
  const all = Array.from({ length: geo.channels }, (_, c) => c);
  const key = `${p.block.start} ${p.block.writes} ${geo.channels}`;
  if (geo.channels <= OPEN) return { open: all, others: [], pinOpen: () => undefined };
  if (held.current.key !== key || rest === p.step.index) {
    const partial = p.step.partial ?? new Float64Array(geo.channels);
    const sorted = [...all].sort((a, b) => Math.abs(partial[b]) - Math.abs(partial[a]));
    const picked = chosen.current !== null ? [chosen.current, ...sorted.filter((c) => c !== chosen.current)] : sorted;
    held.current = { key, open: picked.slice(0, OPEN).sort((a, b) => a - b) };
  }
  const pinOpen = (/** @type {number} */ c) => {
    chosen.current = c;
    held.current = { ...held.current, open: [...held.current.open.filter((_, i) => i !== OPEN - 1), c].sort((a, b) => a - b) };
    setRest(-2);
  };
  const { open } = held.current;
  return { open, others: all.filter((c) => !open.includes(c)), pinOpen };
}

/**
 * The last step at which the steps came to rest. The effect is kept until the next step, across an exchange of the picture: it must not see the props.
 * @param {number} index @param {boolean} wanted
 */
function useRest(index, wanted) {
  const [rest, setRest] = useState(-1);
  useEffect(() => {
    if (!wanted) return undefined;
    const timer = setTimeout(() => setRest(index), REST_MS);
    return () => clearTimeout(timer);
  }, [index, wanted]);
  return /** @type {const} */ ([rest, setRest]);
}

/** @param {StageProps} p @param {ConvGeometry} geo @param {number[]} open @param {number[]} others @returns {(import("./parts/SumChips.js").Chip | string)[]} */
function chipsOf(p, geo, open, others) {
  const { step, block, t } = p;
  const partial = step.partial ?? Float64Array.of(step.combined);
  /** @type {(import("./parts/SumChips.js").Chip | string)[]} */
  const chips = [];
  const add = (/** @type {import("./parts/SumChips.js").Chip} */ chip) => chips.push(...(chips.length ? ["+", chip] : [chip]));
  for (const c of open) add({ text: mid(partial[c]), full: full(partial[c]), label: channelName(p, geo.x.tensor, geo.first + c), role: "v" });
  if (others.length) {
    let sum = 0;
    for (const c of others) sum += partial[c];
    add({ text: mid(sum), full: full(sum), label: t("stage.others", { n: others.length }), role: "v" });
  }
  const bias = block.addends[0];
  if (bias) {
    const { index, value } = step.addends[bias.name];
    const place = { tensor: bias.tensor, cell: index[0] };
    const { edit } = p;
    add({ text: mid(value[0]), full: `${bias.tensor}[${index[0]}] = ${full(value[0])}`, label: t("stage.bias"), role: "w", value: value[0],
      hot: cellOf(p.hover, bias.tensor) === index[0], hover: () => p.setHover(place), pin: () => p.pin(place),
      edit: edit && ((v) => edit(bias.tensor, [index[0]], v)) });
  }
  chips.push("=", { text: mid(step.result), full: full(step.result), label: cellName(block.writes, ravel(p.cell, block.shape), block.shape), role: "r", testid: "stage-result" });
  return chips;
}

/** Every output cell the hovered input reaches. @param {StageProps} p @param {ConvGeometry} geo @returns {import("./parts/MapView.js").Area[]} */
function inputReach(p, geo) {
  const at = cellOf(p.hover, geo.x.tensor);
  if (at === null) return [];
  const [, , iy, ix] = unravel(at, geo.shape);
  const [ys, xs] = [reached(geo.slide, 0, iy, geo.out[0]), reached(geo.slide, 1, ix, geo.out[1])];
  if (!ys.length || !xs.length) return [];
  const dense = ys[ys.length - 1] - ys[0] === ys.length - 1 && xs[xs.length - 1] - xs[0] === xs.length - 1;
  if (dense) return [{ y: ys[0], x: xs[0], h: ys.length, w: xs.length }];
  return ys.flatMap((y) => xs.map((x) => ({ y, x, h: 1, w: 1 })));
}

/** The window a hovered output cell was computed from. @param {StageProps} p @param {ConvGeometry} geo @returns {import("./parts/MapView.js").Area[]} */
function outputField(p, geo) {
  const at = cellOf(p.hover, p.block.writes);
  if (at === null) return [];
  const [, , y, x] = unravel(at, p.block.shape);
  return [windowBox(geo.slide, y, x)];
}

/**
 * Two or three sentences about this step.
 * @param {StageProps} p @returns {{key: string, args: Record<string, string | number>}[]}
 */
export function explain(p) {
  if (p.block.writes.endsWith(".padded")) return explainCopy(p);
  const geo = convGeometry(p);
  const [, o, y, x] = p.cell;
  const start = planeStart(geo.shape, p.cell[0], geo.first);
  const { index } = p.step.roles[geo.x.name];
  let outside = 0;
  for (const i of index) if (i < 0) outside++;
  const args = { y: fixed(geo.window.y, 0), x: fixed(geo.window.x, 0), oy: y, ox: x, o, k: geo.per, c: geo.channels, n: geo.per * geo.channels, outside,
    sum: mid(p.step.combined), result: mid(p.step.result), start, s: geo.slide.s[1], d: geo.slide.d[1], maps: p.block.shape[1] };
  const sentences = [{ key: geo.channels === 1 ? "explain.conv_one" : "explain.conv_many", args }];
  sentences.push({ key: `explain.conv_sum${geo.channels === 1 ? "_one" : ""}${p.block.addends.length ? "" : "_nobias"}`, args });
  if (outside) sentences.push({ key: "explain.conv_padding", args });
  else if (geo.slide.d[0] > 1 || geo.slide.d[1] > 1) sentences.push({ key: "explain.conv_dilation", args });
  else if (x === geo.out[1] - 1 && y === geo.out[0] - 1) sentences.push({ key: o === p.block.shape[1] - 1 ? "explain.conv_done" : "explain.conv_last", args });
  else if (x === geo.out[1] - 1) sentences.push({ key: "explain.conv_row_end", args });
  else sentences.push({ key: "explain.conv_next", args });
  return sentences;
}
