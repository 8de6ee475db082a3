import { html } from "htm/preact";
import { planeSize, unravel } from "../parts/geometry.js";
import { shapeOf } from "../parts/source.js";
import { argsOf, Sum } from "./parts/Sum.js";

/** @typedef {import("../../types.d.ts").StageProps} StageProps */

/** Pooling, backwards: δ goes back to the winner of its window; with averages, to every cell alike. @param {StageProps} p */
export function View(p) {
  const { step, t } = p;
  const won = step.factors.won;
  const wins = won ? Array.from(won).reduce((n, v) => n + v, 0) : null;
  return html`<${Sum} p=${p} rings=${"x" in step.roles ? { x: here(p) } : {}} links=${"x" in step.roles ? { x: windows(p) } : {}} sign="→"
    note=${wins === null ? null : html`<p class="note" data-testid="pool-wins">${t(wins ? "back.pool_won" : "back.pool_lost", { n: wins, of: step.roles.d.index.filter((/** @type {number} */ i) => i >= 0).length })}</p>`} />`;
}

/** The cell whose gradient this is. @param {StageProps} p */
function here(p) {
  const [, , y, x] = p.cell;
  return { y, x, h: 1, w: 1 };
}

/** The windows over this cell. @param {StageProps} p */
function windows(p) {
  const { index } = p.step.roles.x;
  const shape = shapeOf(p, p.block.roles[1].tensor);
  const [, cols] = planeSize(shape);
  const each = index.length / p.step.roles.d.index.length;
  return Array.from({ length: p.step.roles.d.index.length }, (_, w) => Array.from({ length: each }, (__, i) => index[w * each + i]).filter((i) => i >= 0))
    .filter((cells) => cells.length).map((cells) => {
      const places = cells.map((i) => unravel(i, shape).slice(-2));
      const [ys, xs] = [places.map(([y]) => y), places.map(([, x]) => x)];
      const [y, x] = [Math.min(...ys), Math.min(...xs)];
      return { y, x, h: Math.max(...ys) - y + 1, w: Math.min(cols, Math.max(...xs) - x + 1) };
    });
}

/** @param {StageProps} p @returns {{key: string, args: Record<string, string | number>}[]} */
export function explain(p) {
  const kind = p.block.kind === "maxpool2d" ? "max" : "average";
  return [{ key: `explain.back.pool_${kind}`, args: argsOf(p) }, { key: `explain.back.pool_${kind}_note`, args: argsOf(p) }];
}
