import { html } from "htm/preact";
import { topTerms } from "../../dense.js";
import { cellName } from "../../parts/geometry.js";
import { hotTerms, termPerRole } from "../../parts/links.js";
import { full, mid } from "../../parts/numbers.js";
import { shapeOf } from "../../parts/source.js";

/** @typedef {import("../../../types.d.ts").StageProps} StageProps */

/**
 * The largest terms of a step, each with the cells it read, and what the others come to.
 * @param {{p: StageProps, step?: import("../../../types.d.ts").StepView, rows?: number, sign?: string, brief?: boolean}} props step: when it is another reading;
 *   brief: where the room is for a cell's place but not for its tensor's name
 */
export function Products({ p, step = p.step, rows = 8, sign = "×", brief = false }) {
  const { block } = step;
  const count = Array.from(step.terms).filter((_, i) => !missing(step, i)).length;
  const { shown, rest } = topTerms(step, step.terms.length);
  const taking = shown.filter((i) => !missing(step, i));
  // what is 0 says nothing, unless all of it is
  const each = termPerRole(step);
  const there = taking.filter((i, place) => each || step.terms[i] !== 0 || place === 0).slice(0, rows);
  const others = rest + taking.filter((i) => !there.includes(i)).reduce((sum, i) => sum + step.terms[i], 0);
  // a role that reads whole windows has no cell of its own in a term
  const roles = block.roles.filter(({ name }) => [1, step.terms.length].includes(step.roles[name].index.length));
  const hot = hotTerms(step, p.hover);
  return html`<div class="products">
    ${there.map((i) => html`<div key=${i} class=${`product-row ${hot.has(i) ? "hot" : ""}`} onPointerLeave=${() => p.setHover(null)}>
      ${(each ? [block.roles[i]] : roles).map((role, r) => {
        const { index, value } = step.roles[role.name];
        const k = index.length === 1 ? 0 : i;
        const place = { tensor: role.tensor, cell: index[k], term: i };
        return html`${r > 0 && html`<span class="op">${sign}</span>`}<button type="button" class=${`term ${role.accent[0] === "w" ? "w" : role.accent[0] === "g" ? "g" : "v"}`} title=${full(value[k])}
          onPointerEnter=${() => p.setHover(place)} onClick=${() => (index[k] >= 0 ? p.jump(role.tensor, index[k]) : undefined)}><b>${mid(value[k])}</b>
          <small>${index[k] >= 0 ? cellName(role.tensor, index[k], shapeOf(p, role.tensor)).slice(brief ? role.tensor.length : 0) : p.t("stage.padding_cell")}</small></button>`;
      })}<span class="op">=</span><b>${mid(step.terms[i])}</b></div>`)}
    ${count > there.length && html`<div class="product-row rest">${p.t("stage.rest_terms", { n: count - there.length })} <b>${mid(others)}</b></div>`}
  </div>`;
}

/** A term that takes no part, or reads a zero that is no cell. @param {import("../../../types.d.ts").StepView} step @param {number} i */
export function missing(step, i) {
  return step.block.roles.some(({ name }) => {
    const { index } = step.roles[name];
    return index.length <= step.terms.length && index[index.length === 1 ? 0 : i] < -1;
  });
}
