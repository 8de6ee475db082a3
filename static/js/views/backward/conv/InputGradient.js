import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { Destination } from "../../parts/Destination.js";
import { Grid } from "../../parts/Grid.js";
import { Operand } from "../../parts/Operand.js";
import { SumChips } from "../../parts/SumChips.js";
import { cellName, ravel } from "../../parts/geometry.js";
import { hotTerms, within } from "../../parts/links.js";
import { full, mid, tiny } from "../../parts/numbers.js";
import { shapeOf } from "../../parts/source.js";
import { Products } from "../parts/Products.js";

/** @typedef {import("../../../types.d.ts").StageProps} StageProps */

/** Readings a user can choose; kept while stepping from block to block. */
let chosen = /** @type {"both" | "gather" | "scatter"} */ ("both");

/** ∂input in both readings side by side: why the kernel is turned, and that it makes no difference. @param {{p: StageProps}} props */
export function InputGradient({ p }) {
  const [reading, setReading] = useState(chosen);
  const narrow = p.layout === "narrow";
  const choose = (/** @type {typeof chosen} */ value) => setReading((chosen = value));
  const scatter = p.other("scatter");
  return html`<div class="two-readings">
    <div class="readings-bar">
      <${SumChips} leave=${() => p.setHover(null)} chips=${[
        { text: mid(p.step.combined), full: full(p.step.combined), label: p.t("back.reading.gather"), role: "g", testid: "reading-gather-sum" }, "=",
        ...(scatter ? [{ text: mid(scatter.combined), full: full(scatter.combined), label: p.t("back.reading.scatter"), role: /** @type {const} */ ("g"), testid: "reading-scatter-sum" }, "="] : []),
        { text: mid(p.step.result), full: full(p.step.result), label: cellName(p.block.writes, ravel(p.cell, p.block.shape), p.block.shape), role: "r", testid: "stage-result" },
      ]} />
      ${scatter && html`<p class=${`check ${agree(p, scatter) ? "ok" : "off"}`} data-testid="readings-agree">${p.t(agree(p, scatter) ? "back.readings.agree" : "back.readings.differ")}</p>`}
      <span class="seg" role="group" aria-label=${p.t("back.readings")}>${(/** @type {const} */ (["both", "gather", "scatter"])).map((value) => html`
        <button type="button" key=${value} aria-pressed=${reading === value} data-testid=${`reading-${value}`} onClick=${() => choose(value)}>${p.t(`back.reading.${value}`)}</button>`)}</span>
    </div>
    <div class=${`readings ${reading === "both" && !narrow ? "pair" : ""}`}>
      ${reading !== "scatter" && html`<${Gather} p=${p} wide=${reading !== "both"} />`}
      ${reading !== "gather" && html`<${Scatter} p=${p} step=${scatter} wide=${reading !== "both"} />`}
    </div>
  </div>`;
}

/** Both readings come to the stored number but for rounding; differences are the engine's residuals. @param {StageProps} p @param {import("../../../types.d.ts").StepView} scatter */
function agree(p, scatter) {
  const size = Array.from(scatter.terms).reduce((sum, term) => sum + Math.abs(term), 0);
  return Math.max(Math.abs(p.step.residual), Math.abs(scatter.residual)) <= 1e-6 * Math.max(size, 1e-12);
}

/** Channels of δ, those that weigh most first. @param {import("../../../types.d.ts").StepView} step */
function channels(step) {
  const partial = step.partial ?? [];
  return Array.from(partial, (_, o) => o).sort((a, b) => Math.abs(partial[b]) - Math.abs(partial[a]));
}

/** The turned kernel over δ, with zeros around it and, for a stride, between its cells. @param {{p: StageProps, wide: boolean}} props */
function Gather({ p, wide }) {
  const { step, block, t } = p;
  const [d, w] = block.roles;
  const [kh, kw] = block.term_shape.slice(1).map(([, extent]) => extent);
  const area = kh * kw;
  const order = channels(step);
  const most = p.size.h > 560 ? 2 : 1;
  const open = order.slice(0, Math.min(most, order.length));
  const cell = Math.max(14, Math.min(34, Math.floor((wide ? 150 : 108) / Math.max(kh, kw))));
  const px = Math.max(90, Math.min(wide ? 240 : 150, p.size.h / (open.length + 1)));
  return html`<section class="reading"><p class="reading-head"><b>${t("back.reading.gather")}</b> ${t("back.gather.about")}</p>
    ${open.map((o) => {
      const from = o * area;
      const index = step.roles[d.name].index;
      const met = Array.from({ length: area }, (_, i) => index[from + i]).filter((i) => i >= 0);
      const label = shapeOf(p, d.tensor).length >= 4 ? t("stage.channel", { c: channelOf(p, met[0], o) }) : "";
      const grid = (/** @type {any} */ values, /** @type {any} */ accent, /** @type {number} */ absmax, /** @type {string} */ name, /** @type {any} */ role) => html`
        <${Grid} rows=${kh} cols=${kw} cell=${cell} accent=${accent} absmax=${absmax} theme=${p.theme} value=${(/** @type {number} */ i) => values[from + i]}
          text=${(/** @type {number} */ i) => tiny(values[from + i])} version=${`${step.index} ${o} ${name}`} label=${`${name}, ${label}`} ringed=${role === d}
          state=${(/** @type {number} */ i) => (role === d && index[from + i] < 0 ? "pad" : null)} hot=${within(hotTerms(step, p.hover), from, area)}
          full=${(/** @type {number} */ i) => `${role && step.roles[role.name].index[from + i] >= 0 ? `${cellName(role.tensor, step.roles[role.name].index[from + i], shapeOf(p, role.tensor))} = ` : ""}${full(values[from + i])}`}
          hover=${(/** @type {number | null} */ i) => p.setHover(i === null ? null : { tensor: (role ?? d).tensor, cell: step.roles[(role ?? d).name].index[from + i], term: from + i })}
          jump=${(/** @type {number} */ i) => role && step.roles[role.name].index[from + i] >= 0 && p.jump(role.tensor, step.roles[role.name].index[from + i])} />`;
      return html`<div class="gather-row" key=${o}>
        <${Operand} p=${p} tensor=${d.tensor} px=${px} cell=${met[0] ?? 0} ring=${boxOf(p, d.tensor, met)} />
        <div class="gather-sum">
          <div><div class="head">${t("back.delta_window")}</div>${grid(step.roles[d.name].value, "grad", p.absmax(d.tensor, 0), t("back.delta_window"), d)}</div><span class="op">×</span>
          <div><div class="head">${t("back.kernel_turned")}</div>${grid(step.roles[w.name].value, "weight", p.absmax(w.tensor, 0), t("back.kernel_turned"), w)}</div><span class="op">=</span>
          <div><div class="head">${t("stage.product")}</div>${grid(step.terms, "grad", largest(step.terms), t("stage.product"), null)}</div>
          <b class="part">${mid(step.partial?.[o] ?? step.combined)}<small>Σ ${label}</small></b>
        </div></div>`;
    })}
    ${order.length > open.length && html`<p class="note">${t("back.other_channels", { n: order.length - open.length })} <b>${mid(order.slice(open.length).reduce((sum, o) => sum + (step.partial?.[o] ?? 0), 0))}</b></p>`}
  </section>`;
}

/** Each δ stamped δ·K on its window: the stamps that met this cell. @param {{p: StageProps, step: import("../../../types.d.ts").StepView | null, wide: boolean}} props */
function Scatter({ p, step, wide }) {
  const { t } = p;
  const px = Math.max(110, Math.min(wide ? 300 : 210, p.size.h - 200));
  return html`<section class="reading"><p class="reading-head"><b>${t("back.reading.scatter")}</b> ${t("back.scatter.about")}</p>
    <div class="scatter-row"><${Destination} p=${p} px=${px} />
      <div class="stamps"><div class="head">${t("back.stamps")}</div>${step ? html`<${Products} p=${p} step=${step} rows=${p.size.h > 520 ? 9 : 6} brief />` : html`<p class="note">${t("stage.loading")}</p>`}</div></div>
    <p class="note">${t("back.why_turned")}</p>
  </section>`;
}

/** @param {StageProps} p @param {number | undefined} flat @param {number} o */
function channelOf(p, flat, o) {
  const shape = shapeOf(p, p.block.roles[0].tensor);
  return flat === undefined ? o : Math.floor(flat / (shape[2] * shape[3])) % shape[1];
}

/** The box around the cells of δ that take part. @param {StageProps} p @param {string} tensor @param {number[]} cells */
function boxOf(p, tensor, cells) {
  if (!cells.length) return null;
  const shape = shapeOf(p, tensor);
  const ys = cells.map((i) => Math.floor(i / shape[3]) % shape[2]);
  const xs = cells.map((i) => i % shape[3]);
  const [y, x] = [Math.min(...ys), Math.min(...xs)];
  return { y, x, h: Math.max(...ys) - y + 1, w: Math.max(...xs) - x + 1 };
}

/** @param {import("../../../types.d.ts").Numbers} values */
function largest(values) {
  let most = 1e-12;
  for (const v of values) most = Math.max(most, Math.abs(v));
  return most;
}
