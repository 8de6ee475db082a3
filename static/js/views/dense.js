import { html } from "htm/preact";
import { cellColours } from "../draw/palette.js";
import { Destination } from "./parts/Destination.js";
import { Operand } from "./parts/Operand.js";
import { SumChips } from "./parts/SumChips.js";
import { CellEditor } from "./parts/CellEditor.js";
import { cellName, ravel, unravel } from "./parts/geometry.js";
import { cellOf, hotTerms } from "./parts/links.js";
import { full, mid } from "./parts/numbers.js";
import { shapeOf } from "./parts/source.js";
import { useState } from "preact/hooks";

/** @typedef {import("../types.d.ts").StageProps} StageProps */

/** Products shown one by one; the rest is one line. */
const TOP = 12;

/** The largest contributions, largest first, and what the others come to. @param {import("../types.d.ts").StepView} step @param {number} count */
export function topTerms(step, count) {
  const order = Array.from(step.terms, (_, t) => t).sort((a, b) => Math.abs(step.terms[b]) - Math.abs(step.terms[a]));
  const shown = order.slice(0, count);
  let rest = step.rest || 0;
  for (const t of order.slice(count)) rest += step.terms[t];
  return { shown, rest };
}

/**
 * Dense: every weight × its input, the largest products first; the rest in one line; + bias = the output.
 * @param {StageProps} p
 */
export function View(p) {
  const { step, block, t } = p;
  const [x, w] = [block.roles[0], block.roles[1]];
  const count = block.term_shape.reduce((n, [, extent]) => n * extent, 1);
  const { shown, rest } = topTerms(step, p.size.h < 380 ? 9 : TOP);
  const narrow = p.layout === "narrow";
  const hot = hotTerms(step, p.hover);
  let largest = 1e-12;
  for (const i of shown) largest = Math.max(largest, Math.abs(step.terms[i]));
  const px = narrow ? Math.min(280, p.size.w - 12) : Math.max(110, Math.min(240, p.size.w * 0.22, p.size.h - 130));
  return html`<div class=${`dense ${narrow ? "one-column" : ""}`}>
    <${Operand} p=${p} tensor=${x.tensor} px=${px} cell=${step.roles[x.name].index[shown[0] ?? 0] ?? 0} ring=${null} links=${linksOf(p, hot)} legend />
    <div class="terms">
      <div class="term-row head"><span>${t("stage.input")}</span><span></span><span>${t("stage.weight")}</span><span></span><span>${t("stage.product")}</span></div>
      ${shown.map((i) => html`<${Term} key=${step.roles[x.name].index[i]} p=${p} i=${i} hot=${hot.has(i)} largest=${largest} x=${x} w=${w} />`)}
      ${count > shown.length && html`<div class="term-row rest"><span>${t("stage.rest_terms", { n: count - shown.length })}</span><span></span><span></span><span>=</span><b>${mid(rest)}</b><i></i></div>`}
    </div>
    <${Outputs} p=${p} px=${px} />
    <${SumChips} chips=${chipsOf(p, count)} leave=${() => p.setHover(null)} />
  </div>`;
}

/** Inputs of the hovered terms, in the map of inputs. @param {StageProps} p @param {Set<number>} hot */
function linksOf(p, hot) {
  const role = p.block.roles[0];
  const { index } = p.step.roles[role.name];
  const shape = shapeOf(p, role.tensor);
  const n = shape[shape.length - 1];
  const wide = n <= 16 ? n : Math.ceil(Math.sqrt(n));
  return [...hot].map((t) => ({ y: Math.floor((index[t] % n) / wide), x: (index[t] % n) % wide, h: 1, w: 1 }));
}

/** One product: input × weight = product, with a bar. @param {any} props */
function Term({ p, i, hot, largest, x, w }) {
  const [editing, setEditing] = useState(false);
  const { step } = p;
  const [xs, ws] = [step.roles[x.name], step.roles[w.name]];
  const term = step.terms[i];
  const wide = shapeOf(p, w.tensor);
  const tint = (/** @type {number} */ v, /** @type {any} */ accent, /** @type {number} */ most) => {
    const { fill, text } = cellColours(v, accent, most, p.theme);
    return { background: fill, color: text };
  };
  const edit = p.edit && (() => setEditing(true));
  const pin = () => p.pin({ tensor: w.tensor, cell: ws.index[i], term: i });
  return html`<div class=${`term-row ${hot ? "hot" : ""}`} tabindex="0" role="button"
    onPointerEnter=${() => p.setHover({ tensor: w.tensor, cell: ws.index[i], term: i })} onPointerLeave=${() => p.setHover(null)} onClick=${pin}
    onKeyDown=${(/** @type {KeyboardEvent} */ e) => {
      if (e.key !== "Enter") return;
      e.stopPropagation();
      (edit ?? pin)();
    }}>
    <span class="num" style=${tint(xs.value[i], "value", p.absmax(x.tensor, 0))} title=${`${cellName(x.tensor, xs.index[i], shapeOf(p, x.tensor))} = ${full(xs.value[i])}`}>
      ${mid(xs.value[i])}<small>${unravel(xs.index[i], shapeOf(p, x.tensor)).pop()}</small></span>
    <span>×</span>
    <span class="num" style=${tint(ws.value[i], "weight", p.absmax(w.tensor, p.cell[p.cell.length - 1]))} title=${`${cellName(w.tensor, ws.index[i], wide)} = ${full(ws.value[i])}`}
      onDblClick=${edit}>${mid(ws.value[i])}
      ${editing && html`<${CellEditor} x=${0} y=${0} side=${24} value=${ws.value[i]} label=${cellName(w.tensor, ws.index[i], wide)}
        done=${(/** @type {number | null} */ v) => { setEditing(false); if (v !== null) p.edit(w.tensor, unravel(ws.index[i], wide), v); }} />`}</span>
    <span>=</span><b title=${full(term)}>${mid(term)}</b>
    <i class=${term < 0 ? "neg" : ""}><u style=${{ width: `${(100 * Math.abs(term)) / largest}%` }}></u></i>
  </div>`;
}

/** Outputs written so far: bars with numbers for a few, a wrapped map for many. @param {{p: StageProps, px: number}} props */
function Outputs({ p, px }) {
  const { shape, writes } = p.block;
  const n = shape[shape.length - 1];
  const view = p.tensor(writes);
  if (n > 16 || !view) return html`<${Destination} p=${p} px=${px} />`;
  const from = p.cell[0] * n;
  const most = p.absmax(writes, 0) || 1;
  const at = p.cell[p.cell.length - 1];
  const pointed = cellOf(p.hover, writes);
  return html`<div class="outputs">
    <div class="head">${writes}</div>
    ${Array.from({ length: n }, (_, i) => {
      const v = view.data[from + i];
      const written = from + i < p.written;
      return html`<button type="button" key=${i} class=${`bar ${i === at ? "now" : ""} ${pointed === from + i ? "hot" : ""}`} title=${`${writes}[${i}]${written ? ` = ${full(v)}` : ""}`}
        onClick=${() => p.jump(writes, from + i)} onPointerEnter=${() => p.setHover({ tensor: writes, cell: from + i })} onPointerLeave=${() => p.setHover(null)}>
        <span>${i}</span><i class=${v < 0 ? "neg" : ""}>${written && html`<u style=${{ width: `${Math.min(100, (100 * Math.abs(v)) / most)}%` }}></u>`}</i>
        <b>${written ? mid(v) : "·"}</b></button>`;
    })}
  </div>`;
}

/** @param {StageProps} p @param {number} count */
function chipsOf(p, count) {
  const { step, block, t, edit } = p;
  const bias = block.addends[0];
  const own = bias ? step.addends[bias.name] : null;
  /** @type {(import("./parts/SumChips.js").Chip | string)[]} */
  const chips = [];
  let products = step.rest || 0;
  for (const v of step.terms) products += v;
  chips.push({ text: mid(products), full: full(products), label: t("stage.sum_products", { n: count }), role: "v" });
  if (bias && own) {
    const place = { tensor: bias.tensor, cell: own.index[0] };
    chips.push("+", { text: mid(own.value[0]), full: full(own.value[0]), label: t("stage.bias"), role: "w", value: own.value[0],
      hot: cellOf(p.hover, bias.tensor) === own.index[0], hover: () => p.setHover(place), pin: () => p.pin(place),
      edit: edit && ((v) => edit(bias.tensor, [own.index[0]], v)) });
  }
  chips.push("=", { text: mid(step.result), full: full(step.result), label: cellName(block.writes, ravel(p.cell, block.shape), block.shape), role: "r", testid: "stage-result" });
  return chips;
}

/** @param {StageProps} p @returns {{key: string, args: Record<string, string | number>}[]} */
export function explain(p) {
  const count = p.block.term_shape.reduce((n, [, extent]) => n * extent, 1);
  const { shown } = topTerms(p.step, 1);
  const [x, w] = p.block.roles;
  const i = shown[0] ?? 0;
  const args = { n: count, o: p.cell[p.cell.length - 1], outs: p.block.shape[p.block.shape.length - 1], result: mid(p.step.result), top: mid(p.step.terms[i] ?? 0),
    x: mid(p.step.roles[x.name].value[i] ?? 0), w: mid(p.step.roles[w.name].value[i] ?? 0), weights: count * p.block.shape[p.block.shape.length - 1] };
  return [{ key: "explain.dense", args }, { key: "explain.dense_top", args }, { key: "explain.dense_conv", args }];
}
