import { html } from "htm/preact";
import { SumChips } from "./parts/SumChips.js";
import { cellName, ravel } from "./parts/geometry.js";
import { full, mid } from "./parts/numbers.js";
import { shapeOf } from "./parts/source.js";

/** @typedef {import("../types.d.ts").StageProps} StageProps */

/** Classes shown as bars. */
const MOST = 40;

/** The four tensors a softmax writes, in order. @param {StageProps} p */
function partsOf({ node, opened }) {
  const logits = node.inputs[0] === "input" ? "input" : opened.nodes.find((other) => other.name === node.inputs[0])?.out ?? `${node.inputs[0]}.out`;
  return { logits, max: `${node.name}.max`, exp: `${node.name}.exp`, sum: `${node.name}.sum`, out: `${node.name}.out` };
}

/** Which of them this step writes. @param {StageProps} p @returns {"max" | "exp" | "sum" | "out"} */
export function stageOf({ block }) {
  const last = block.writes.split(".").pop();
  return last === "max" || last === "exp" || last === "sum" ? last : "out";
}

/**
 * Softmax: per class the logit, its exponential over the largest logit, and its share; with maximum and sum shown.
 * @param {StageProps} p
 */
export function View(p) {
  const names = partsOf(p);
  const now = stageOf(p);
  const { t } = p;
  const shape = shapeOf(p, names.logits);
  const n = shape[1] ?? shape[shape.length - 1];
  const inner = shape.slice(2).reduce((m, d) => m * d, 1);
  // classes lie along dimension 1: a map has one softmax per pixel
  const pixel = inner > 1 ? ravel(p.cell.slice(-2), shape.slice(-2)) % inner : 0;
  const at = (/** @type {number} */ c) => (p.cell[0] * n + c) * inner + pixel;
  const here = now === "exp" || now === "out" ? p.cell[1] : -1;
  const value = (/** @type {string} */ name, /** @type {number} */ i) => p.tensor(name)?.data[i] ?? NaN;
  const done = (/** @type {"max" | "exp" | "sum" | "out"} */ part, /** @type {number} */ flat) => p.tensor(names[part]) !== null && writtenBefore(p, names[part], flat);
  const one = p.cell[0] * inner + pixel;
  return html`<div class="softmax">
    <div class="soft-facts">
      <span class="term plain"><b>${done("max", one) ? mid(value(names.max, one)) : "·"}</b><small>${t("stage.soft_max")}</small></span>
      <span class="term plain"><b>${done("sum", one) ? mid(value(names.sum, one)) : "·"}</b><small>${t("stage.soft_sum")}</small></span>
    </div>
    <div class="soft-table">
      <div class="soft-row head"><span></span><span>${t("stage.logit")} z</span><span>e<sup>z − max</sup></span><span></span><span>÷ Σ</span><span></span></div>
      ${Array.from({ length: Math.min(n, MOST) }, (_, c) => {
        const [z, e, y] = [value(names.logits, at(c)), value(names.exp, at(c)), value(names.out, at(c))];
        const [hasE, hasY] = [done("exp", at(c)), done("out", at(c))];
        const hot = p.hover && [names.logits, names.exp, names.out].includes(p.hover.tensor) && p.hover.cell === at(c);
        const link = (/** @type {string} */ name) => ({ onPointerEnter: () => p.setHover({ tensor: name, cell: at(c) }), onPointerLeave: () => p.setHover(null),
          onClick: () => p.jump(name, at(c)), title: full(value(name, at(c))) });
        return html`<div class=${`soft-row ${c === here ? "now" : ""} ${hot ? "hot" : ""}`} key=${c}>
          <span>${c}</span>
          <button type="button" class="v" ...${link(names.logits)}>${mid(z)}</button>
          <button type="button" class=${now === "exp" && c === here ? "cur" : ""} ...${link(names.exp)}>${hasE ? mid(e) : "·"}</button>
          <i>${hasE && html`<u style=${{ width: `${100 * e}%` }}></u>`}</i>
          <button type="button" class=${now === "out" && c === here ? "cur" : ""} ...${link(names.out)}>${hasY ? `${(100 * y).toFixed(1)} %` : "·"}</button>
          <i class="share">${hasY && html`<u style=${{ width: `${100 * y}%` }}></u>`}</i>
        </div>`;
      })}
      ${n > MOST && html`<div class="soft-row rest"><span></span><span>${t("stage.rest_classes", { n: n - MOST })}</span></div>`}
    </div>
    <${SumChips} chips=${chipsOf(p, now)} leave=${() => p.setHover(null)} />
  </div>`;
}

/** Has the step that writes this cell been taken? @param {StageProps} p @param {string} tensor @param {number} flat */
function writtenBefore(p, tensor, flat) {
  const block = p.opened.blocks.find((entry) => entry.writes === tensor);
  return block ? p.step.index >= block.start + flat : true;
}

/** @param {StageProps} p @param {"max" | "exp" | "sum" | "out"} now */
function chipsOf(p, now) {
  const { step, block, t } = p;
  const result = { text: mid(step.result), full: full(step.result), label: cellName(block.writes, ravel(p.cell, block.shape), block.shape), role: /** @type {const} */ ("r"), testid: "stage-result" };
  const list = () => {
    const all = Array.from(step.terms, mid);
    return all.length <= 10 ? all : [...all.slice(0, 8), "…"];
  };
  if (now === "max") return [{ text: `max(${list().join(", ")})`, label: t("stage.soft_max"), role: /** @type {const} */ ("v") }, "=", result];
  if (now === "sum") return [{ text: list().join(" + "), label: t("stage.soft_sum"), role: /** @type {const} */ ("v") }, "=", result];
  const of = (/** @type {number} */ i) => {
    const role = block.roles[i];
    return role ? mid(step.roles[role.name].value[0]) : "";
  };
  if (now === "exp") return [{ text: `exp(${of(0)} − ${of(1).startsWith("−") ? `(${of(1)})` : of(1)})`, label: t("stage.soft_exp"), role: /** @type {const} */ ("v") }, "=", result];
  return [{ text: of(0), label: t("stage.soft_exp"), role: /** @type {const} */ ("v") }, "÷", { text: of(1), label: t("stage.soft_sum"), role: /** @type {const} */ ("plain") }, "=", result];
}

/** @param {StageProps} p @returns {{key: string, args: Record<string, string | number>}[]} */
export function explain(p) {
  const now = stageOf(p);
  const roles = p.block.roles.map((role) => mid(p.step.roles[role.name].value[0]));
  const args = { n: p.step.terms.length, c: p.cell[1] ?? 0, result: mid(p.step.result), percent: (100 * p.step.result).toFixed(1), a: roles[0] ?? "", b: roles[1] ?? "" };
  return [{ key: `explain.softmax_${now}`, args }, { key: `explain.softmax_${now}_2`, args }];
}
