import { html } from "htm/preact";
import { Pool } from "./parts/Pool.js";
import { SumChips } from "./parts/SumChips.js";
import { cellName, ravel } from "./parts/geometry.js";
import { full, mid } from "./parts/numbers.js";
import { shapeOf } from "./parts/source.js";

/** @typedef {import("../types.d.ts").StageProps} StageProps */

/** Term that won: the engine says which. @param {StageProps} p */
function winnerOf(p) {
  return Math.round(p.step.extra.argmax ?? -1);
}

/**
 * Max pooling: the window, who won, and the winner carried to the output.
 * @param {StageProps} p
 */
export function View(p) {
  const winner = winnerOf(p);
  const role = p.block.roles[0];
  const { index, value } = p.step.roles[role.name];
  const at = index[winner] ?? -1;
  const rivals = Array.from(value).filter((_, i) => index[i] >= 0);
  const chips = [
    { text: `max(${rivals.length <= 9 ? rivals.map(mid).join(", ") : `${rivals.slice(0, 6).map(mid).join(", ")}, … ${rivals.length}`})`, label: p.t("stage.window"), role: "plain" },
    "=",
    { text: mid(p.step.result), full: full(p.step.result), label: at >= 0 ? `${p.t("stage.winner")} ${cellName(role.tensor, at, shapeOf(p, role.tensor))}` : "", role: "v",
      hover: () => p.setHover({ tensor: role.tensor, cell: at, term: winner }), pin: () => p.pin({ tensor: role.tensor, cell: at, term: winner }) },
    "→",
    { text: mid(p.step.result), full: full(p.step.result), label: cellName(p.block.writes, ravel(p.cell, p.block.shape), p.block.shape), role: "r", testid: "stage-result" },
  ];
  return html`<${Pool} p=${p} winner=${winner}><${SumChips} chips=${chips} leave=${() => p.setHover(null)} /></${Pool}>`;
}

/** @param {StageProps} p @returns {{key: string, args: Record<string, string | number>}[]} */
export function explain(p) {
  const role = p.block.roles[0];
  const { index, value } = p.step.roles[role.name];
  const at = index[winnerOf(p)] ?? -1;
  let ties = 0;
  for (let i = 0; i < value.length; i++) if (index[i] >= 0 && value[i] === p.step.result) ties++;
  const args = { n: index.filter((i) => i >= 0).length, lost: index.filter((i) => i >= 0).length - 1, result: mid(p.step.result), ties,
    cell: at >= 0 ? cellName(role.tensor, at, shapeOf(p, role.tensor)) : "", out: cellName(p.block.writes, ravel(p.cell, p.block.shape), p.block.shape) };
  return [{ key: "explain.maxpool", args }, { key: ties > 1 ? "explain.maxpool_tie" : "explain.maxpool_2", args }];
}
