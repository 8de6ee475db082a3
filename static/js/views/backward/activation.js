import { html } from "htm/preact";
import { drawCurve } from "../../draw/curve.js";
import { Canvas } from "../parts/Canvas.js";
import { CURVES } from "../parts/curves.js";
import { full, mid } from "../parts/numbers.js";
import { argsOf, Sum } from "./parts/Sum.js";

/** @typedef {import("../../types.d.ts").StageProps} StageProps */

/** A slope below this lets almost nothing through. */
const SATURATED = 0.05;

/** Activation, backwards: δ times the slope where x stands. @param {StageProps} p */
export function View(p) {
  const { step, block, t } = p;
  const side = p.layout === "narrow" ? Math.min(300, p.size.w - 8) : Math.max(130, Math.min(210, p.size.h - 170, p.size.w * 0.2));
  const { slope } = step.extra;
  return html`<${Sum} p=${p} note=${note(p)}>
    ${CURVES[block.kind] && html`<div class="curve"><div class="head">${t("back.slope", { kind: t(`kind.${block.kind}`) })}</div>
      <${Canvas} w=${side} h=${side} label=${t("stage.curve_label", { x: mid(step.roles.x.value[0]), y: mid(slope) })}
        draw=${(/** @type {CanvasRenderingContext2D} */ ctx) => drawCurve(ctx, plotOf(p, side))} />
      <p class="note">${t("back.slope_here")} <b data-testid="slope">${mid(slope)}</b></p></div>`}
  <//>`;
}

/** A dead unit, or one that is saturated. @param {StageProps} p */
function note({ step, block, t }) {
  const { slope } = step.extra;
  if (slope === 0 && block.kind === "relu") return html`<p class="note">${t("back.relu_shut")}</p>`;
  return Math.abs(slope) < SATURATED && ["sigmoid", "tanh"].includes(block.kind) ? html`<p class="note">${t("back.saturated")}</p>` : null;
}

/** The shape of the derivative, from the function's; the point on it is the engine's. @param {StageProps} p @param {number} side @returns {Parameters<typeof drawCurve>[1]} */
function plotOf(p, side) {
  const f = CURVES[p.block.kind];
  const x = p.step.roles.x.value[0];
  const shown = p.tensor(p.block.roles[1].tensor);
  const reach = Math.max(1, Math.abs(x), Math.abs(shown?.min ?? 0), Math.abs(shown?.max ?? 0)) * 1.1;
  const h = reach / 400;
  /** @type {[number, number][]} */
  const points = Array.from({ length: 201 }, (_, i) => {
    const v = -reach + (2 * reach * i) / 200;
    return [v, (f(v + h, p.node.config) - f(v - h, p.node.config)) / (2 * h)];
  });
  return { w: side, h: side, theme: p.theme, domain: [-reach, reach], range: [-0.25, 1.25], points, at: { x, y: p.step.extra.slope },
    labels: { x: "x", y: "y′" }, ticks: (v) => full(Number(v.toPrecision(3))) };
}

/** @param {StageProps} p @returns {{key: string, args: Record<string, string | number>}[]} */
export function explain(p) {
  const { step } = p;
  const args = { ...argsOf(p), x: mid(step.roles.x.value[0]), slope: mid(step.extra.slope), d: mid(step.roles.d.value[0]) };
  const relu = p.block.kind === "relu" ? (step.extra.slope ? "_open" : "_shut") : "";
  return [{ key: `explain.back.activation${relu}`, args }, { key: "explain.back.activation_note", args }];
}
