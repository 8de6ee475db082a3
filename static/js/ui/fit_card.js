/** How the picture became the network's input: every step with its numbers, and a choice of the fit. */
import { html } from "htm/preact";
import { openScenario } from "../actions.js";
import { number } from "./numbers.js";
import { opened, scenario, t } from "../state.js";
import { FloatingCard } from "./floating.js";
import { InputPicture, Original } from "./map_input.js";
import { Segmented } from "./segmented.js";

/** @typedef {import("../types.d.ts").InputInfo} InputInfo */

const FITS = /** @type {const} */ (["contain", "cover", "stretch"]);

export function FitCard() {
  const tr = t.value;
  const trace = opened.value;
  const info = trace?.input;
  if (!trace || !info) return null;
  const shape = trace.tensors.find(({ name }) => name === "input")?.shape.slice(1) ?? [];
  /** @param {string} fit */
  const choose = (fit) => {
    const doc = scenario.peek();
    if (doc) openScenario({ ...doc, input: { ...doc.input, fit } }, { keepCursor: true });
  };
  return html`<${FloatingCard} title=${tr("fit.title")} testid="fit-card" look="fit-card">
    <figure><${Original} info=${info} side=${220} /><figcaption>${tr("map.picture")} · ${info.width} × ${info.height}</figcaption></figure>
    <figure class="maps"><${InputPicture} size="220px" /><figcaption>input · ${shape.join(" × ")}</figcaption></figure>
    <ol>${account(info, shape, tr).map((line) => html`<li key=${line}>${line}</li>`)}
      <${Segmented} label=${tr("fit.label")} prefix="fit" value=${info.fit} onChoose=${choose} choices=${FITS.map((fit) => ({ value: fit, label: tr(`fit.${fit}`) }))} /></ol>
  <//>`;
}

/** @param {InputInfo} info @param {number[]} shape C, H, W @param {(key: string, args?: Record<string, string | number>) => string} tr */
function account(info, shape, tr) {
  const [x0, y0, x1, y1] = info.box.map(Math.round);
  const [channels, h, w] = shape;
  const lines = [tr("fit.step.upright", { w: info.width, h: info.height })];
  if (x0 > 0 || y0 > 0 || x1 < info.width || y1 < info.height) lines.push(tr("fit.step.crop", { x0, y0, x1, y1 }));
  lines.push(tr("fit.step.resize", { w, h }));
  if (info.placed[0] > 0 || info.placed[1] > 0) lines.push(tr("fit.step.bars"));
  lines.push(tr(channels === 1 ? "fit.step.grey" : "fit.step.rgb"));
  lines.push(tr("fit.step.unit"));
  const plain = info.mean.every((m) => m === 0) && info.std.every((s) => s === 1);
  if (!plain) lines.push(tr("fit.step.normalise", { mean: info.mean.map((v) => number(v)).join(", "), std: info.std.map((v) => number(v)).join(", ") }));
  return lines;
}
