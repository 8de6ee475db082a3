import { html } from "htm/preact";
import { viewOf } from "../views/index.js";
import { CodeBlock } from "./inspector_code.js";
import { Check, Totals } from "./inspector_receipt.js";
import { Formula } from "./formula.js";

/** @typedef {import("../types.d.ts").StageProps} StageProps */

/** Two or three sentences about this very step, its formula, and the sum in short. @param {{p: StageProps}} props */
export function ExplainTab({ p }) {
  const input = !p.block;
  const sentences = viewOf(p.block)?.explain(p) ?? [];
  return html`<div class="explain">
    ${sentences.map(({ key, args }) => html`<p key=${key}>${marked(p.t(key, args))}</p>`)}
    ${!input && html`<${Formula} tex=${p.block.formula} />${p.block.code.length > 0 && html`<${CodeBlock} p=${p} short />`}<${Totals} p=${p} /><${Check} p=${p} />`}
    ${p.node.size_formula && html`<p class="size-formula"><small>${p.t("inspector.size")}</small> ${p.node.size_formula}</p>`}
  </div>`;
}

/**
 * Catalogue strings mark roles as [v:text], [w:text], [g:text] and strong text as [b:text]; the text may hold an index like out[0, 2].
 * @param {string} text
 */
export function marked(text) {
  return text.split(/(\[[vwgb]:(?:[^[\]]|\[[^\]]*\])*\])/).map((part) => {
    const [, role, inner] = part.match(/^\[([vwgb]):(.*)\]$/) ?? [];
    if (!role) return part;
    if (role === "b") return html`<b>${inner}</b>`;
    return html`<span class=${`k ${role === "v" ? "d" : role}`}>${inner}</span>`;
  });
}
