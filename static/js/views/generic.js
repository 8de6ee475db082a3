import { html } from "htm/preact";
import { topTerms } from "./dense.js";
import { Destination } from "./parts/Destination.js";
import { Operand } from "./parts/Operand.js";
import { SumChips } from "./parts/SumChips.js";
import { cellName, ravel } from "./parts/geometry.js";
import { hotTerms, termPerRole } from "./parts/links.js";
import { full, mid } from "./parts/numbers.js";
import { shapeOf } from "./parts/source.js";

/** @typedef {import("../types.d.ts").StageProps} StageProps */

/** Rows of operands shown. */
const ROWS = 10;

/**
 * Any step of any layer: the cells it read, what they were combined to, the cell it wrote.
 * @param {StageProps} p
 */
export function View(p) {
  const { block, step, t } = p;
  const narrow = p.layout === "narrow";
  const first = block.roles[0];
  const { shown, rest } = topTerms(step, ROWS);
  const hot = hotTerms(step, p.hover);
  const px = narrow ? Math.min(300, p.size.w - 12) : Math.max(110, Math.min(260, p.size.w * 0.24, p.size.h - 130));
  const read = shown.map((i) => step.roles[first?.name]?.index[i]).find((i) => i >= 0) ?? 0;
  return html`<div class=${`dense ${narrow ? "one-column" : ""}`}>
    ${first && html`<${Operand} p=${p} tensor=${first.tensor} px=${px} cell=${read} legend />`}
    <div class="terms">
      ${shown.map((i) => html`<div class=${`term-row any ${hot.has(i) ? "hot" : ""}`} key=${i} onPointerLeave=${() => p.setHover(null)}>
        ${(termPerRole(step) ? [block.roles[i]] : block.roles).map((role) => {
          const { index, value } = step.roles[role.name];
          const k = Math.min(i, value.length - 1);
          return html`<span class=${`term ${role.accent[0] === "w" ? "w" : role.accent[0] === "g" ? "g" : "v"}`} title=${full(value[k])}
            onPointerEnter=${() => p.setHover({ tensor: role.tensor, cell: index[k], term: i })} onClick=${() => p.pin({ tensor: role.tensor, cell: index[k], term: i })}>
            <b>${mid(value[k])}</b><small>${index[k] >= 0 ? cellName(role.tensor, index[k], shapeOf(p, role.tensor)) : t("stage.padding_cell")}</small></span>`;
        })}
        <span class="op">→</span><b>${mid(step.terms[i])}</b></div>`)}
      ${step.terms.length > ROWS && html`<div class="term-row any rest">${t("stage.rest_terms", { n: step.terms.length - ROWS })} <b>${mid(rest)}</b></div>`}
    </div>
    <${Destination} p=${p} px=${px} />
    <${SumChips} leave=${() => p.setHover(null)} chips=${[
      { text: mid(step.combined), full: full(step.combined), label: t(`stage.combine_${block.combine}`), role: "v" }, "=",
      { text: mid(step.result), full: full(step.result), label: cellName(block.writes, ravel(p.cell, block.shape), block.shape), role: "r", testid: "stage-result" },
    ]} />
  </div>`;
}

/** @param {StageProps} p @returns {{key: string, args: Record<string, string | number>}[]} */
export function explain(p) {
  const args = { n: p.step.terms.length, out: cellName(p.block.writes, ravel(p.cell, p.block.shape), p.block.shape), result: mid(p.step.result) };
  return [{ key: `explain.generic_${p.block.combine}`, args }];
}
