/** The nudge: move one number for real, and see whether the loss moves as the gradient says. */
import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { full, mid, scientific } from "../views/parts/numbers.js";
import { useAnswer } from "./inspector_chain.js";

/** @typedef {import("../types.d.ts").StageProps} StageProps */
/** @typedef {{value: number, eps: number, loss: number, low: number, high: number, difference: number, gradient: number, relative: number, digits: number, curve: [number, number | null][]}} Nudged */

/** Losses asked for along the curve: odd, so that the cell's own value is one of them. */
const POINTS = 33;
/** Powers of ten that the slider reaches, in tenths. */
const [NEAR, FAR] = [-40, 10];
const [W, H, PAD] = [300, 132, 8];

/** @param {{p: StageProps, at: {tensor: string, cell: number[]}}} props */
export function Nudge({ p, at }) {
  const { t } = p;
  const [reach, setReach] = useState(-5);
  const size = 10 ** (reach / 10);
  const moves = Array.from({ length: POINTS }, (_, i) => size * ((2 * i) / (POINTS - 1) - 1));
  const { answer, error } = useAnswer({ type: "nudge", tensor: at.tensor, cell: at.cell, moves });
  const fits = answer && answer.tensor === at.tensor && String(answer.cell) === String(at.cell);
  return html`<section class="nudge" data-testid="nudge">
    <h3>${t("nudge.title")}</h3>
    <p class="faint">${t("nudge.about")}</p>
    ${error && html`<p class="check off">${error}</p>`}
    ${fits && html`<${Result} p=${p} found=${answer} />`}
    <label class="field">${t("nudge.reach")}<input type="range" min=${NEAR} max=${FAR} step="1" value=${reach} data-testid="nudge-reach" aria-valuetext=${`± ${mid(size)}`}
      onInput=${(/** @type {any} */ event) => setReach(Number(event.target.value))} /><output>± ${mid(size)}</output></label>
    ${fits && html`<${Curve} p=${p} found=${answer} />`}
  </section>`;
}

/** @param {{p: StageProps, found: Nudged}} props */
function Result({ p, found }) {
  const { t } = p;
  const eps = scientific(found.eps, 0).replace(/^1 × /, "");
  /** @type {[string, string, string][]} */
  const rows = [
    [t("nudge.low", { eps }), String(found.low), ""], [t("nudge.high", { eps }), String(found.high), ""],
    [t("nudge.difference"), full(found.difference), "nudge-difference"], [t("nudge.gradient"), full(found.gradient), "nudge-gradient"],
    [t("nudge.relative"), scientific(found.relative, 1), ""],
  ];
  return html`<table class="rc"><tbody>${rows.map(([label, value, testid]) => html`<tr key=${label}><td>${label}</td><td data-testid=${testid || undefined}>${value.replace("-", "−")}</td></tr>`)}
    <tr class="t"><td>${t("nudge.agrees")}</td><td><span data-testid="nudge-digits">${found.digits}</span> ${t("nudge.digits")}</td></tr></tbody></table>
    ${found.digits < 4 && html`<p class="faint">${t("nudge.kink")}</p>`}`;
}

/** The loss along the move, and the straight line that the gradient promises. @param {{p: StageProps, found: Nudged}} props */
function Curve({ p, found }) {
  const { t } = p;
  const points = found.curve.filter(([, loss]) => loss !== null && Number.isFinite(loss));
  if (points.length < 2) return null;
  const far = Math.abs(found.curve[0][0]);
  const losses = points.map(([, loss]) => /** @type {number} */ (loss));
  const [low, high] = [Math.min(...losses), Math.max(...losses)];
  // the line may leave the picture: it is the curve that is looked at
  const room = Math.max((high - low) * 0.08, Math.abs(found.gradient) * far * 0.05, 1e-12);
  const x = (/** @type {number} */ move) => PAD + ((move / far + 1) / 2) * (W - 2 * PAD);
  const y = (/** @type {number} */ loss) => H - PAD - ((loss - low + room) / (high - low + 2 * room)) * (H - 2 * PAD);
  const path = points.map(([move, loss], i) => `${i ? "L" : "M"}${x(move).toFixed(1)} ${y(/** @type {number} */ (loss)).toFixed(1)}`).join("");
  const line = (/** @type {number} */ move) => y(found.loss + found.gradient * move);
  return html`<figure class="nudge-curve"><svg viewBox=${`0 0 ${W} ${H}`} role="img" aria-label=${t("nudge.curve", { reach: mid(far), low: mid(low), high: mid(high) })}>
      <clipPath id="nudge-clip"><rect x="0" y="0" width=${W} height=${H} /></clipPath>
      <g clip-path="url(#nudge-clip)"><path class="line" d=${`M${x(-far)} ${line(-far)}L${x(far)} ${line(far)}`} /><path class="loss" d=${path} /></g>
      <circle cx=${x(0)} cy=${y(found.loss)} r="4.5" />
    </svg><figcaption><span class="loss">${t("nudge.loss")}</span> <span class="line">${t("nudge.line")}</span></figcaption></figure>`;
}
