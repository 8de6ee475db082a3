/**
 * What is linked with the thing under the pointer. A term joins an input cell, a weight, a product and the output cell.
 * @typedef {import("../../types.d.ts").StepView} StepView
 * @typedef {import("../../types.d.ts").Hover} Hover
 */

/** @type {Set<number>} */
const NONE = new Set();

/**
 * Terms of this step that the pointer means: one term, or every term that reads the cell.
 * @param {StepView} step @param {Hover | null} hover @returns {Set<number>}
 */
export function hotTerms(step, hover) {
  if (!hover) return NONE;
  if (hover.term !== undefined) return new Set([hover.term]);
  if (hover.cell === null || hover.cell === undefined) return NONE;
  const found = new Set();
  const apart = termPerRole(step);
  step.block.roles.forEach((role, r) => {
    if (role.tensor !== hover.tensor) return;
    const index = step.roles[role.name]?.index;
    if (apart) {
      if (index[0] === hover.cell) found.add(r);
      return;
    }
    for (let t = 0; index && t < index.length; t++) if (index[t] === hover.cell) found.add(t);
  });
  return found;
}

/** Add and concat: every operand is one term of its own, where a product joins all operands in each term. @param {StepView} step */
export function termPerRole({ block, roles, terms }) {
  return block.roles.length > 1 && terms.length === block.roles.length && block.roles.every(({ name }) => roles[name].index.length === 1);
}

/** Shifts a set of term numbers into a grid that starts at `from`. @param {Set<number>} terms @param {number} from @param {number} count */
export function within(terms, from, count) {
  if (!terms.size) return null;
  const found = new Set();
  for (const t of terms) if (t >= from && t < from + count) found.add(t - from);
  return found.size ? found : null;
}

/** Cell of a tensor the pointer is on, or null when it is elsewhere. @param {Hover | null} hover @param {string} tensor */
export function cellOf(hover, tensor) {
  return hover && hover.tensor === tensor && hover.cell !== null && hover.cell !== undefined && hover.cell >= 0 ? hover.cell : null;
}
