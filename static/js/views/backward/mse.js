import { html } from "htm/preact";
import { argsOf, Sum } from "./parts/Sum.js";

/** Any other loss, backwards: δ is its slope where the prediction stands. @param {import("../../types.d.ts").StageProps} p */
export function View(p) {
  return html`<${Sum} p=${p} sign="," />`;
}

/** @param {import("../../types.d.ts").StageProps} p @returns {{key: string, args: Record<string, string | number>}[]} */
export function explain(p) {
  return [{ key: `explain.back.loss_${p.block.kind}`, args: argsOf(p) }, { key: "explain.back.loss_note", args: argsOf(p) }];
}
