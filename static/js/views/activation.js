import { html } from "htm/preact";
import { drawCurve } from "../draw/curve.js";
import { Canvas } from "./parts/Canvas.js";
import { Destination } from "./parts/Destination.js";
import { Operand } from "./parts/Operand.js";
import { SumChips } from "./parts/SumChips.js";
import { CURVES } from "./parts/curves.js";
import { cellName, ravel } from "./parts/geometry.js";
import { cellOf } from "./parts/links.js";
import { full, mid } from "./parts/numbers.js";
import { shapeOf } from "./parts/source.js";

/** @typedef {import("../types.d.ts").StageProps} StageProps */

/**
 * Activation: x map → curve with the current point on it → y map.
 * @param {StageProps} p
 */
export function View(p) {
  const role = p.block.roles[0];
  const { index, value } = p.step.roles[role.name];
  const narrow = p.layout === "narrow";
  const short = p.size.h < 400;
  const curve = narrow ? Math.min(340, p.size.w - 8) : Math.max(200, Math.min(340, p.size.h - (short ? 40 : 110), p.size.w * 0.32));
  const px = narrow ? Math.min(300, p.size.w - 12) : Math.max(140, Math.min(300, (p.size.w - curve - 110) / 2, p.size.h - 130));
  const x = value[0];
  const there = ravel(p.cell, p.block.shape);
  const back = cellOf(p.hover, p.block.writes);
  const same = back === null ? null : back;
  return html`<div class="pairing act ${narrow ? "one-column" : ""}">
    <${Operand} p=${p} tensor=${role.tensor} px=${px} cell=${index[0]} links=${same === null ? [] : linkOf(p, role.tensor, same)} legend />
    <div class="curve">
      <div class="head">${p.t(`kind.${p.block.kind}`)}</div>
      <${Canvas} w=${curve} h=${curve} label=${p.t("stage.curve_label", { x: mid(x), y: mid(p.step.result) })}
        draw=${(/** @type {CanvasRenderingContext2D} */ ctx) => drawCurve(ctx, plotOf(p, role.tensor, x, curve))} />
    </div>
    <${Destination} p=${p} px=${px} links=${cellOf(p.hover, role.tensor) === null ? [] : linkOf(p, p.block.writes, /** @type {number} */ (cellOf(p.hover, role.tensor)))} />
    <${SumChips} leave=${() => p.setHover(null)} chips=${[
      { text: mid(x), full: full(x), label: cellName(role.tensor, index[0], shapeOf(p, role.tensor)), role: "v",
        hover: () => p.setHover({ tensor: role.tensor, cell: index[0] }), pin: () => p.pin({ tensor: role.tensor, cell: index[0] }) },
      `${p.t(`kind.${p.block.kind}`)} →`,
      { text: mid(p.step.result), full: full(p.step.result), label: cellName(p.block.writes, there, p.block.shape), role: "r", testid: "stage-result" },
    ]} />
  </div>`;
}

/** The cell of the same index in the other map, when it is in the channel shown. @param {StageProps} p @param {string} tensor @param {number} at */
function linkOf(p, tensor, at) {
  const shape = shapeOf(p, tensor);
  if (shape.length < 4) return [];
  const [h, w] = [shape[2], shape[3]];
  const start = (p.cell[0] * shape[1] + p.cell[1]) * h * w;
  if (at < start || at >= start + h * w) return [];
  return [{ y: Math.floor((at - start) / w), x: (at - start) % w, h: 1, w: 1 }];
}

/** @param {StageProps} p @param {string} tensor @param {number} x @param {number} side @returns {Parameters<typeof drawCurve>[1]} */
function plotOf(p, tensor, x, side) {
  const f = CURVES[p.block.kind] ?? ((/** @type {number} */ v) => v);
  const shown = p.tensor(tensor);
  // the axis spans the values of the layer, so that it stands still while the point moves
  const reach = Math.max(1, Math.abs(x), Math.abs(shown?.min ?? 0), Math.abs(shown?.max ?? 0)) * 1.1;
  /** @type {[number, number][]} */
  const points = Array.from({ length: 161 }, (_, i) => {
    const v = -reach + (2 * reach * i) / 160;
    return [v, f(v, p.node.config)];
  });
  const high = Math.max(...points.map(([, y]) => y), p.step.result, 0.2);
  const low = Math.min(...points.map(([, y]) => y), p.step.result, -0.12 * high);
  return {
    w: side, h: side, theme: p.theme, domain: [-reach, reach], range: [low * 1.08, high * 1.08], points, at: { x, y: p.step.result },
    labels: { x: "x", y: "y" }, ticks: (v) => full(Number(v.toPrecision(3))),
  };
}

/** @param {StageProps} p @returns {{key: string, args: Record<string, string | number>}[]} */
export function explain(p) {
  const x = p.step.roles[p.block.roles[0].name].value[0];
  const args = { x: mid(x), y: mid(p.step.result), slope: Number(p.node.config.negative_slope ?? 0.01), alpha: Number(p.node.config.alpha ?? 1) };
  const { kind } = p.block;
  const known = CURVES[kind] ? kind : "map";
  const side = ["relu", "leaky_relu", "elu"].includes(kind) ? (x > 0 ? "_pos" : "_neg") : "";
  return [{ key: `explain.${known}${side}`, args }, { key: "explain.activation_each", args }];
}
