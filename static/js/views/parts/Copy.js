import { html } from "htm/preact";
import { Destination } from "./Destination.js";
import { Operand } from "./Operand.js";
import { SumChips } from "./SumChips.js";
import { cellName, ravel } from "./geometry.js";
import { full, mid } from "./numbers.js";
import { shapeOf } from "./source.js";

/** @typedef {import("../../types.d.ts").StageProps} StageProps */

/** The operand this cell is copied from; concat has several, of which one takes part. @param {StageProps} p */
export function sourceOf({ step, block }) {
  for (const role of block.roles) {
    const index = step.roles[role.name]?.index[0];
    if (index >= 0) return { tensor: role.tensor, cell: index, value: step.roles[role.name].value[0] };
  }
  return { tensor: block.roles[0].tensor, cell: -1, value: step.result };
}

/**
 * A step that only carries a number to another place: flatten, concat, padding that mirrors.
 * @param {StageProps} p
 */
export function Copy(p) {
  const { tensor, cell } = sourceOf(p);
  const narrow = p.layout === "narrow";
  const px = narrow ? Math.min(320, p.size.w - 12) : Math.max(140, Math.min(320, (p.size.w - 260) / 2, p.size.h - 120));
  const there = ravel(p.cell, p.block.shape);
  const shape = shapeOf(p, tensor);
  return html`<div class="pairing ${narrow ? "one-column" : ""}">
    <${Operand} p=${p} tensor=${tensor} px=${px} cell=${cell} legend />
    <div class="carry">
      <b class="num">${mid(p.step.result)}</b>
      <svg class="arrow" viewBox="0 0 120 16" aria-hidden="true"><path d="M2 8h110m-7-6 7 6-7 6" fill="none" stroke="currentColor" stroke-width="2"/></svg>
      <small>${p.t("stage.copied")}</small>
    </div>
    <${Destination} p=${p} px=${px} mirror=${p.block.writes.endsWith(".padded") ? borderOf(p, shape) : undefined} />
    <${SumChips} leave=${() => p.setHover(null)} chips=${[
      { text: mid(p.step.result), full: full(p.step.result), label: cell >= 0 ? cellName(tensor, cell, shape) : p.t("stage.padding_cell"), role: "v",
        hover: () => p.setHover({ tensor, cell }), pin: () => p.pin({ tensor, cell }) },
      "→",
      { text: mid(p.step.result), full: full(p.step.result), label: cellName(p.block.writes, there, p.block.shape), role: "r", testid: "stage-result" },
    ]} />
  </div>`;
}

/** Rows and columns that padding added on either side. @param {StageProps} p @param {number[]} before @returns {[number, number]} */
function borderOf({ block }, before) {
  return [(block.shape[2] - before[2]) >> 1, (block.shape[3] - before[3]) >> 1];
}

/** @param {StageProps} p @returns {{key: string, args: Record<string, string | number>}[]} */
export function explainCopy(p) {
  const { tensor, cell } = sourceOf(p);
  const args = {
    from: cell >= 0 ? cellName(tensor, cell, shapeOf(p, tensor)) : "0", to: cellName(p.block.writes, ravel(p.cell, p.block.shape), p.block.shape),
    value: mid(p.step.result), tensor, n: p.block.shape.reduce((n, d) => n * d, 1), mode: String(p.node.config.padding_mode ?? ""),
  };
  const key = p.block.writes.endsWith(".padded") ? "explain.pad" : p.block.kind === "flatten" ? "explain.flatten" : p.block.kind === "concat" ? "explain.concat" : "explain.copy";
  return [{ key, args }, { key: `${key}_2`, args }];
}
