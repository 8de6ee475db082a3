import { html } from "htm/preact";
import { Destination } from "./parts/Destination.js";
import { Operand } from "./parts/Operand.js";
import { SumChips } from "./parts/SumChips.js";
import { cellName, ravel } from "./parts/geometry.js";
import { cellOf } from "./parts/links.js";
import { full, mid } from "./parts/numbers.js";
import { shapeOf } from "./parts/source.js";

/** @typedef {import("../types.d.ts").StageProps} StageProps */

/**
 * Add: the same cell of two (or more) maps, summed.
 * @param {StageProps} p
 */
export function View(p) {
  const { block, step } = p;
  const { roles } = block;
  const narrow = p.layout === "narrow";
  const shown = roles.slice(0, 3);
  const px = narrow ? Math.min(300, p.size.w - 12) : Math.max(110, Math.min(300, (p.size.w - 70 * shown.length) / (shown.length + 1), p.size.h - 130));
  const there = cellOf(p.hover, block.writes);
  const pointed = roles.map((role) => cellOf(p.hover, role.tensor)).find((at) => at !== null) ?? there;
  const links = pointed === null || pointed === undefined ? [] : areaOf(p, pointed);
  /** @type {(import("./parts/SumChips.js").Chip | string)[]} */
  const chips = roles.flatMap((role, i) => {
    const { index, value } = step.roles[role.name];
    const place = { tensor: role.tensor, cell: index[0] };
    const chip = { text: mid(value[0]), full: full(value[0]), label: cellName(role.tensor, index[0], shapeOf(p, role.tensor)), role: /** @type {const} */ ("v"),
      hover: () => p.setHover(place), pin: () => p.pin(place) };
    return i ? ["+", chip] : [chip];
  });
  chips.push("=", { text: mid(step.result), full: full(step.result), label: cellName(block.writes, ravel(p.cell, block.shape), block.shape), role: "r", testid: "stage-result" });
  return html`<div class=${`pairing sum-view ${narrow ? "one-column" : ""}`}>
    ${shown.map((role, i) => html`${i > 0 && html`<div class="op big">+</div>`}
      <${Operand} p=${p} tensor=${role.tensor} px=${px} cell=${step.roles[role.name].index[0]} links=${links} legend />`)}
    <div class="op big">=</div>
    <${Destination} p=${p} px=${px} links=${links} />
    <${SumChips} chips=${chips} leave=${() => p.setHover(null)} />
  </div>`;
}

/** The hovered cell as an area of the channel shown. @param {StageProps} p @param {number} at */
function areaOf(p, at) {
  const { shape } = p.block;
  if (shape.length < 4) return [];
  const [h, w] = [shape[2], shape[3]];
  const local = at - (p.cell[0] * shape[1] + p.cell[1]) * h * w;
  return local >= 0 && local < h * w ? [{ y: Math.floor(local / w), x: local % w, h: 1, w: 1 }] : [];
}

/** @param {StageProps} p @returns {{key: string, args: Record<string, string | number>}[]} */
export function explain(p) {
  const [a, b] = p.block.roles;
  const args = { a: mid(p.step.roles[a.name].value[0]), b: b ? mid(p.step.roles[b.name].value[0]) : "0", ta: a.tensor, tb: b?.tensor ?? "", result: mid(p.step.result) };
  return [{ key: "explain.add", args }, { key: "explain.add_2", args }];
}
