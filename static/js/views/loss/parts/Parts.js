import { html } from "htm/preact";
import { full, mid } from "../../parts/numbers.js";

/** @typedef {import("../../../types.d.ts").StageProps} StageProps */

/** The parts of a loss in the order in which they are added. */
const PARTS = /** @type {const} */ (["data", "l1", "l2"]);

/** The data loss and the penalties as bars, stacked into the loss; a part that is not computed yet is left open. @param {{p: StageProps}} props */
export function Parts({ p }) {
  const { opened, step, t } = p;
  const parts = PARTS.map((part) => ({ part, name: `loss.${part}` })).filter(({ name }) => opened.loss_parts && name in opened.loss_parts);
  const value = (/** @type {string} */ name) => (reached(p, name) ? p.tensor(name)?.data[0] : undefined);
  const whole = parts.reduce((sum, { name }) => sum + Math.abs(opened.loss_parts?.[name] ?? 0), 0) || 1;
  const total = value("loss");
  const end = step.block.writes === "loss";
  return html`<div class="loss-parts"><span class="stack" aria-hidden="true">${parts.map(({ part, name }) => html`<i key=${part} class=${`${part} ${value(name) === undefined ? "open" : ""}`}
      style=${{ width: `${((100 * Math.abs(opened.loss_parts?.[name] ?? 0)) / whole).toFixed(2)}%` }}></i>`)}</span>
    <div class="loss-sum">${parts.map(({ part, name }, i) => html`${i > 0 && html`<span class="op">+</span>`}<button type="button" key=${part} data-testid=${`part-${part}`}
        title=${value(name) === undefined ? name : full(/** @type {number} */ (value(name)))} onClick=${() => p.jump(name, 0)}><i class=${part}></i>${t(`map.loss.${part}`)} <b>${value(name) === undefined ? "·" : mid(/** @type {number} */ (value(name)))}</b></button>`)}
      <span class="op">=</span><button type="button" class=${end ? "now" : ""} data-testid="loss-total" title=${total === undefined ? "loss" : full(total)} onClick=${() => p.jump("loss", 0)}>${t("phase.loss")} <b>${total === undefined ? "·" : mid(total)}</b></button></div></div>`;
}

/** Whether the steps up to the cursor wrote a lone number. @param {StageProps} p @param {string} name */
function reached({ opened, step }, name) {
  const block = opened.blocks.find(({ writes }) => writes === name);
  return block !== undefined && block.start <= step.index;
}
