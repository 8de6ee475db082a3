import { html } from "htm/preact";
import { Destination } from "../parts/Destination.js";
import { SumChips } from "../parts/SumChips.js";
import { cellName, ravel } from "../parts/geometry.js";
import { full, mid } from "../parts/numbers.js";
import { Products } from "./parts/Products.js";
import { argsOf } from "./parts/Sum.js";

/** @typedef {import("../../types.d.ts").StageProps} StageProps */
/** @typedef {import("../../types.d.ts").StepView} StepView */

/** Rows of the unfolded sum. */
const ROWS = 8;

/** Softmax and cross-entropy, backwards: p − y at once, and the same as the chain rule has it. @param {StageProps} p */
export function View(p) {
  const { step, block, t } = p;
  const unfolded = p.other("unfolded");
  const narrow = p.layout === "narrow";
  const px = narrow ? Math.min(280, p.size.w - 12) : Math.max(100, Math.min(210, p.size.h - 190));
  const result = { text: mid(step.result), full: full(step.result), label: cellName(block.writes, ravel(p.cell, block.shape), block.shape), role: /** @type {const} */ ("r"), testid: "stage-result" };
  return html`<div class="two-readings">
    <div class="readings-bar"><${SumChips} leave=${() => p.setHover(null)} chips=${[
      { text: mid(step.combined), full: full(step.combined), label: t("back.reading.fused"), role: "g", testid: "reading-fused-sum" }, "=",
      ...(unfolded ? [{ text: mid(unfolded.combined), full: full(unfolded.combined), label: t("back.reading.unfolded"), role: /** @type {const} */ ("g"), testid: "reading-unfolded-sum" }, "="] : []), result]} />
      ${unfolded && html`<p class=${`check ${agree(step, unfolded) ? "ok" : "off"}`} data-testid="readings-agree">${t(agree(step, unfolded) ? "back.readings.agree" : "back.readings.differ")}</p>`}</div>
    <div class=${`readings ${narrow ? "" : "pair"}`}>
      <section class="reading"><p class="reading-head"><b>${t("back.reading.fused")}</b> ${t("back.fused.about")}</p>
        <div class="scatter-row"><${Products} p=${p} sign="" /><${Destination} p=${p} px=${px} /></div></section>
      <section class="reading"><p class="reading-head"><b>${t("back.reading.unfolded")}</b> ${t("back.unfolded.about")}</p>
        ${unfolded ? html`<${Factors} p=${p} step=${unfolded} />` : html`<p class="note">${t("stage.loading")}</p>`}</section>
    </div></div>`;
}

/** One product of the chain rule per output: what comes from above × how softmax passes it on. @param {{p: StageProps, step: StepView}} props */
function Factors({ p, step }) {
  const { upstream, jacobian } = step.factors;
  const order = Array.from(step.terms, (_, i) => i).sort((a, b) => Math.abs(step.terms[b]) - Math.abs(step.terms[a]) || a - b);
  const shown = order.slice(0, ROWS).sort((a, b) => a - b);
  const rest = order.slice(ROWS).reduce((sum, i) => sum + step.terms[i], 0);
  return html`<table class="factor-table"><thead><tr><th scope="col">${p.t("back.loss_output")}</th><th scope="col">∂L/∂p</th><th></th><th scope="col">∂p/∂x</th><th></th><th scope="col">${p.t("stage.product")}</th></tr></thead>
    <tbody>${shown.map((i) => html`<tr key=${i}><th scope="row">${i}</th><td title=${full(upstream[i])}>${mid(upstream[i])}</td><td>×</td><td title=${full(jacobian[i])}>${mid(jacobian[i])}</td><td>=</td><td title=${full(step.terms[i])}><b>${mid(step.terms[i])}</b></td></tr>`)}</tbody></table>
    ${order.length > ROWS && html`<p class="note">${p.t("stage.rest_terms", { n: order.length - ROWS })} <b>${mid(rest)}</b></p>`}`;
}

/** Both come to the stored number but for rounding. @param {StepView} fused @param {StepView} unfolded */
function agree(fused, unfolded) {
  const size = Array.from(unfolded.terms).reduce((sum, term) => sum + Math.abs(term), 0);
  return Math.max(Math.abs(fused.residual), Math.abs(unfolded.residual)) <= 1e-6 * Math.max(size, 1e-12);
}

/** @param {StageProps} p @returns {{key: string, args: Record<string, string | number>}[]} */
export function explain(p) {
  const args = { ...argsOf(p), p: mid(p.step.roles.p?.value[0] ?? NaN), y: mid(p.step.roles.y?.value[0] ?? NaN) };
  return [{ key: "explain.back.cross_entropy", args }, { key: "explain.back.cross_entropy_note", args }];
}
