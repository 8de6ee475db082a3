import { html } from "htm/preact";
import { argsOf, Sum } from "./parts/Sum.js";

/** @typedef {import("../../types.d.ts").StageProps} StageProps */

/** Kinds whose terms are added, not multiplied. */
const ADDED = ["accumulate", "batchnorm2d", "layernorm", "penalty"];

/** What hands gradients on, splits or adds them: flatten, add, concat, accumulate, dropout, normalisation, penalties. @param {StageProps} p */
export function View(p) {
  const { kind, roles } = p.block;
  return html`<${Sum} p=${p} sign=${ADDED.includes(kind) ? "+" : roles.length > 1 ? "×" : "→"} />`;
}

/** @param {StageProps} p @returns {{key: string, args: Record<string, string | number>}[]} */
export function explain(p) {
  return [{ key: `explain.back.${p.block.kind}`, args: argsOf(p) }];
}
