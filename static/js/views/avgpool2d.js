import { html } from "htm/preact";
import { Pool } from "./parts/Pool.js";
import { SumChips } from "./parts/SumChips.js";
import { cellName, ravel } from "./parts/geometry.js";
import { full, mid } from "./parts/numbers.js";

/** @typedef {import("../types.d.ts").StageProps} StageProps */

/**
 * Average pooling: the window, its divisor, its mean.
 * @param {StageProps} p
 */
export function View(p) {
  const { index, value } = p.step.roles[p.block.roles[0].name];
  const inside = Array.from(value).filter((_, i) => index[i] >= 0);
  const divisor = p.step.extra.divisor ?? index.length;
  const sum = inside.length <= 9 ? inside.map(mid).join(" + ").replaceAll("+ −", "− ") : `${inside.slice(0, 4).map(mid).join(" + ").replaceAll("+ −", "− ")} + … ${p.t("stage.n_values", { n: inside.length })}`;
  const chips = [
    { text: `(${sum})`, label: p.t("stage.window"), role: "v" },
    "÷",
    { text: mid(divisor), label: p.t("stage.divisor"), role: "plain" },
    "=",
    { text: mid(p.step.result), full: full(p.step.result), label: cellName(p.block.writes, ravel(p.cell, p.block.shape), p.block.shape), role: "r", testid: "stage-result" },
  ];
  return html`<${Pool} p=${p} winner=${-1}><${SumChips} chips=${chips} leave=${() => p.setHover(null)} /></${Pool}>`;
}

/** @param {StageProps} p @returns {{key: string, args: Record<string, string | number>}[]} */
export function explain(p) {
  const { index } = p.step.roles[p.block.roles[0].name];
  const outside = index.filter((i) => i < 0).length;
  const args = { n: index.length - outside, divisor: mid(p.step.extra.divisor ?? index.length), result: mid(p.step.result), outside,
    out: cellName(p.block.writes, ravel(p.cell, p.block.shape), p.block.shape) };
  if (p.block.kind === "global_avgpool2d") return [{ key: "explain.global_avgpool", args }, { key: "explain.global_avgpool_2", args }];
  return [{ key: "explain.avgpool", args }, { key: outside ? "explain.avgpool_pad" : "explain.avgpool_2", args }];
}
