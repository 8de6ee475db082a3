import { html } from "htm/preact";
import { argsOf, Sum } from "./parts/Sum.js";

/** @typedef {import("../../types.d.ts").StageProps} StageProps */

/** @param {StageProps} p */
function partOf({ block }) {
  return /\.bias\.grad/.test(block.writes) ? "bias" : /\.weight\.grad/.test(block.writes) ? "weight" : "input";
}

/** Dense, backwards: ∂W is an outer product, one δ times one input; ∂x = Wᵀδ. @param {StageProps} p */
export function View(p) {
  return html`<${Sum} p=${p} />`;
}

/** @param {StageProps} p @returns {{key: string, args: Record<string, string | number>}[]} */
export function explain(p) {
  const args = { ...argsOf(p), o: p.cell[0], i: p.cell[1] ?? 0 };
  const part = partOf(p);
  return [{ key: `explain.back.dense_${part}`, args }, { key: `explain.back.dense_${part}_note`, args }];
}
