import { html } from "htm/preact";
import { pair, planeSize, slideOf } from "../parts/geometry.js";
import { shapeOf } from "../parts/source.js";
import { InputGradient } from "./conv/InputGradient.js";
import { argsOf, Sum } from "./parts/Sum.js";

/** @typedef {import("../../types.d.ts").StageProps} StageProps */

/** Which of the three gradients a block writes. @param {StageProps} p @returns {"bias" | "weight" | "input" | "fold"} */
export function partOf({ block }) {
  if (/\.bias\.grad/.test(block.writes)) return "bias";
  if (/\.weight\.grad/.test(block.writes)) return "weight";
  return block.roles.some(({ name }) => name === "w") ? "input" : "fold";
}

/** Convolution, backwards: ∂bias, ∂weight, ∂input. @param {StageProps} p */
export function View(p) {
  const part = partOf(p);
  if (part === "input") return html`<${InputGradient} p=${p} />`;
  return html`<${Sum} p=${p} rings=${part === "weight" ? { d: null, x: metBox(p) } : { d: null }} />`;
}

/** Where one kernel cell passed over the input: from its first to its last position. @param {StageProps} p */
function metBox(p) {
  const [d, x] = p.block.roles;
  const size = planeSize(shapeOf(p, x.tensor));
  const out = planeSize(shapeOf(p, d.tensor));
  const slide = slideOf(p.node.config, x.tensor.endsWith(".padded"), size);
  const step = pair(p.node.config.stride ?? 1);
  const [, , ky, kx] = p.cell;
  return { y: ky * slide.d[0] - slide.p[0], x: kx * slide.d[1] - slide.p[1], h: (out[0] - 1) * step[0] + 1, w: (out[1] - 1) * step[1] + 1 };
}

/** @param {StageProps} p @returns {{key: string, args: Record<string, string | number>}[]} */
export function explain(p) {
  const part = partOf(p);
  const args = { ...argsOf(p), ky: p.cell[2] ?? 0, kx: p.cell[3] ?? 0, o: p.cell[0] };
  if (part === "input") return [{ key: "explain.back.conv_input", args }, { key: "explain.back.conv_turned", args }];
  return part === "fold" ? [{ key: "explain.back.conv_fold", args }] : [{ key: `explain.back.conv_${part}`, args }, { key: `explain.back.conv_${part}_note`, args }];
}
