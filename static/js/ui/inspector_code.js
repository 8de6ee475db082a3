import { html } from "htm/preact";
import { cellName, ravel } from "../views/parts/geometry.js";
import { hotTerms } from "../views/parts/links.js";
import { full } from "../views/parts/numbers.js";
import { shapeOf } from "../views/parts/source.js";

/** @typedef {import("../types.d.ts").StageProps} StageProps */

/**
 * Number of every slot of the code: loop variables, and affine forms of them (plus + Σ coefficient · variable). No other arithmetic happens here.
 * @param {StageProps} p @returns {Record<string, number>}
 */
export function slotsOf({ block, cell }) {
  /** @type {Record<string, number>} */
  const values = {};
  block.loops.forEach(([name], d) => {
    values[name] = cell[d];
  });
  for (const [name, { of, plus }] of Object.entries(block.slots ?? {})) {
    values[name] = Object.entries(of).reduce((sum, [loop, coefficient]) => sum + coefficient * values[loop], plus);
  }
  return values;
}

/** The loop nest with the indices of this step in it, the lines that run now marked. @param {{p: StageProps, short?: boolean}} props */
export function CodeBlock({ p, short = false }) {
  const slots = slotsOf(p);
  const lines = p.block.code.map((line, i) => ({ line, on: p.block.active.includes(i) }));
  const indent = short ? (/** @type {string} */ s) => s.replace(/^ +/, (blank) => blank.slice(0, blank.length >> 1)) : (/** @type {string} */ s) => s;
  return html`<pre class="code" tabindex="0">${lines.map(({ line, on }, i) => html`<span key=${i} class=${on ? "on" : ""}>${pieces(indent(line), slots)}${"\n"}</span>`)}</pre>`;
}

/** @param {string} line @param {Record<string, number>} slots */
function pieces(line, slots) {
  return line.split(/(\{[a-z_]\w*\})/i).map((part) => {
    const name = part.match(/^\{(\w+)\}$/)?.[1];
    return name && name in slots ? html`<em>${slots[name]}</em>` : part;
  });
}

/** Code, and below it the values those lines see now. @param {{p: StageProps}} props */
export function CodeTab({ p }) {
  const { block, step, t } = p;
  const hot = [...hotTerms(step, p.hover)].slice(0, 4);
  const slots = slotsOf(p);
  return html`<div class="code-tab">
    <${CodeBlock} p=${p} />
    <table class="rc live">
      <tbody>
        ${block.loops.filter(([, extent], d) => extent > 1 || d > 0).map(([name, extent]) => html`<tr key=${name}><td><code>${name}</code> <small>${t("code.of", { n: extent })}</small></td><td>${slots[name]}</td></tr>`)}
        ${hot.map((i) => html`<tr class="hot" key=${`t${i}`}><td><code>${block.roles.map((role) => {
          const { index } = step.roles[role.name];
          const at = index[Math.min(i, index.length - 1)];
          return at >= 0 ? cellName(role.tensor, at, shapeOf(p, role.tensor)) : t("receipt.padding");
        }).join(block.combine === "sum" && block.roles.length === 2 ? " * " : ", ")}</code></td><td>${full(step.terms[i])}</td></tr>`)}
        ${block.addends.map((addend) => html`<tr key=${addend.name}><td><code>${cellName(addend.tensor, step.addends[addend.name].index[0], shapeOf(p, addend.tensor))}</code></td><td>${full(step.addends[addend.name].value[0])}</td></tr>`)}
        <tr class="t"><td><code>${cellName(block.writes, ravel(p.cell, block.shape), block.shape)}</code></td><td>${full(step.result)}</td></tr>
      </tbody>
    </table>
    <p class="note">${t("code.note")}</p>
  </div>`;
}
