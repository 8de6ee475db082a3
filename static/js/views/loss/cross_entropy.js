import { html } from "htm/preact";
import { drawCurve } from "../../draw/curve.js";
import { Products } from "../backward/parts/Products.js";
import { argsOf } from "../backward/parts/Sum.js";
import { Canvas } from "../parts/Canvas.js";
import { SumChips } from "../parts/SumChips.js";
import { cellName, ravel } from "../parts/geometry.js";
import { full, mid } from "../parts/numbers.js";
import { Parts } from "./parts/Parts.js";
import { softmaxOf, Table } from "./parts/Table.js";

/** @typedef {import("../../types.d.ts").StageProps} StageProps */

/** The curve of −log p is cut here: p ≈ 0.7 %. */
const HIGHEST = 5;

/** A loss: its stations output by output, this step's terms, and the sum that is the loss everywhere else. @param {StageProps} p */
export function View(p) {
  const { block, step, t } = p;
  const narrow = p.layout === "narrow";
  const penalty = block.writes.includes("@");
  return html`<div class=${`loss-view ${narrow ? "one-column" : ""}`}>
    ${!penalty && html`<${Table} p=${p} />`}
    <div class="loss-step"><div class="head">${block.writes}</div><${Products} p=${p} rows=${narrow ? 5 : 7} sign="" /></div>
    ${!penalty && html`<${LogCurve} p=${p} />`}
    <${SumChips} leave=${() => p.setHover(null)} chips=${[
      { text: mid(step.combined), full: full(step.combined), label: t(`stage.combine_${block.combine}`), role: "v" }, "=",
      { text: mid(step.result), full: full(step.result), label: cellName(block.writes, ravel(p.cell, block.shape), block.shape), role: "r", testid: "stage-result" },
    ]} />
    <${Parts} p=${p} />
  </div>`;
}

/** −log p with the point of the right class on it, once its softmax is there. @param {{p: StageProps}} props */
function LogCurve({ p }) {
  const name = softmaxOf(p.opened) ?? "";
  const log = p.opened.blocks.find(({ writes }) => writes === "loss.log_softmax");
  const truth = p.tensor("loss.y")?.data;
  const probabilities = p.tensor(name)?.data;
  const logs = p.tensor("loss.log_softmax")?.data;
  const at = truth?.findIndex((/** @type {number} */ v) => v === 1) ?? -1;
  if (!log || !probabilities || !logs || at < 0 || log.start + at > p.step.index) return null;
  const side = p.layout === "narrow" ? Math.min(260, p.size.w - 8) : Math.max(130, Math.min(200, p.size.h - 200));
  /** @type {[number, number][]} */
  const points = Array.from({ length: 200 }, (_, i) => [(i + 1) / 200, -Math.log((i + 1) / 200)]);
  return html`<div class="curve"><div class="head">−log p</div>
    <${Canvas} w=${side} h=${side} label=${p.t("back.loss_curve", { p: mid(probabilities[at]), value: mid(-logs[at]) })}
      draw=${(/** @type {CanvasRenderingContext2D} */ ctx) => drawCurve(ctx, { w: side, h: side, theme: p.theme, domain: [0, 1.05], range: [-0.2, HIGHEST],
        points, at: { x: probabilities[at], y: Math.min(HIGHEST, -logs[at]) }, labels: { x: "p", y: "−log p" }, ticks: (v) => full(Number(v.toPrecision(3))) })} />
    <p class="note">p = <b>${mid(probabilities[at])}</b>, −log p = <b data-testid="minus-log-p" title=${full(-logs[at])}>${mid(-logs[at])}</b></p></div>`;
}

/** What is said, by the tensor that is written. @type {[RegExp, string][]} */
const SAID = [[/@/, "penalty"], [/^loss$/, "total"], [/^loss\.data$/, "mean"], [/^loss\.(l1|l2)$/, "penalties"], [/^loss\.sample$/, "sample"], [/^loss\.y$/, "truth"],
  [/^loss\.(max|exp|sum|softmax|log_softmax)$/, "softmax"]];

/** @param {StageProps} p @returns {{key: string, args: Record<string, string | number>}[]} */
export function explain(p) {
  const { block, step } = p;
  const part = SAID.find(([name]) => name.test(block.writes))?.[1] ?? "difference";
  const args = { ...argsOf(p), writes: block.writes, divisor: step.extra.divisor ?? 1 };
  const kind = part === "penalty" ? `penalty_${block.kind}` : part;
  return [{ key: `explain.loss.${kind}`, args }, { key: `explain.loss.${part}_note`, args }];
}
