import { html } from "htm/preact";
import { Destination } from "../../parts/Destination.js";
import { Operand } from "../../parts/Operand.js";
import { SumChips } from "../../parts/SumChips.js";
import { cellName, ravel } from "../../parts/geometry.js";
import { full, mid } from "../../parts/numbers.js";
import { Products } from "./Products.js";

/** @typedef {import("../../../types.d.ts").StageProps} StageProps */

/** Samples whose parts are shown. */
const MOST_SAMPLES = 8;

/**
 * The tensors a gradient is made of, side by side, the largest terms, and the cell that is written.
 * @param {{p: StageProps, rings?: Record<string, import("../../parts/MapView.js").Area | null>, links?: Record<string, import("../../parts/MapView.js").Area[]>,
 *   sign?: string, note?: any, children?: any}} props rings: by role; without one the ring is on the first cell that the role reads
 */
export function Sum({ p, rings = {}, links = {}, sign = "×", note, children }) {
  const { step, block } = p;
  const narrow = p.layout === "narrow";
  // one plane per tensor: an add reads the same one more than once
  const roles = block.roles.filter((role, i) => block.roles.findIndex(({ tensor }) => tensor === role.tensor) === i && role.tensor !== "clip_factor").slice(0, 3);
  const share = (p.size.w - (children ? 330 : 380)) / (roles.length + 1);
  const px = narrow ? Math.min(280, p.size.w - 12) : Math.max(100, Math.min(230, share, p.size.h - 130));
  const terms = block.term_shape.reduce((n, [, extent]) => n * extent, 1);
  return html`<div class=${`back-sum ${narrow ? "one-column" : ""}`}>
    ${roles.map((role, i) => {
      const cell = step.roles[role.name].index.find((at) => at >= 0) ?? 0;
      return html`${i > 0 && html`<div class="op big">${sign}</div>`}<${Operand} key=${role.name} p=${p} tensor=${role.tensor} px=${px} cell=${cell}
        ring=${role.name in rings ? rings[role.name] : undefined} links=${links[role.name] ?? []} legend />`;
    })}
    ${children}
    ${!children && html`<${Products} p=${p} rows=${narrow ? 6 : 9} sign=${sign} />`}
    <${Destination} p=${p} px=${px} />
    ${note}
    <${SumChips} leave=${() => p.setHover(null)} chips=${[
      ...(children ? factors(p) : samples(p)), { text: mid(step.combined), full: full(step.combined), label: terms > 1 ? p.t("stage.sum_of", { n: terms }) : p.t("stage.combine_map"), role: "g" }, "=",
      { text: mid(step.result), full: full(step.result), label: cellName(block.writes, ravel(p.cell, block.shape), block.shape), role: "r", testid: "stage-result" },
    ]} />
  </div>`;
}

/** What each sample of a batch adds to a gradient that they share. @param {StageProps} p @returns {(import("../../parts/SumChips.js").Chip | string)[]} */
function samples({ step, block, t }) {
  if (block.partial?.[0] !== "n" || !step.partial || step.partial.length > MOST_SAMPLES) return [];
  return Array.from(step.partial).flatMap((part, n) => [
    { text: mid(part), full: full(part), label: t("back.sample", { n }), role: /** @type {const} */ ("g"), testid: `sample-part-${n}` }, n < (step.partial?.length ?? 0) - 1 ? "+" : "="]);
}

/** The factors of a lone product, before the product. @param {StageProps} p @returns {(import("../../parts/SumChips.js").Chip | string)[]} */
function factors({ step, block, t }) {
  const [d] = block.roles;
  const { value } = step.roles[d.name];
  return [{ text: mid(value[0]), full: full(value[0]), label: "δ", role: "g" }, "×", { text: mid(step.extra.slope), full: full(step.extra.slope), label: t("back.slope_here"), role: "v" }, "="];
}

/** What every explanation may name. @param {StageProps} p */
export function argsOf(p) {
  const { block, step } = p;
  return { n: block.term_shape.reduce((n, [, extent]) => n * extent, 1), result: mid(step.result), samples: block.shape[0],
    out: cellName(block.writes, ravel(p.cell, block.shape), block.shape) };
}
