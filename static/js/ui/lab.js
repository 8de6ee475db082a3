/** The strip above the stage where a network's own switches are: all of a convolution in the lab, activation and pooling in Pencil. */
import { html } from "htm/preact";
import { onInput } from "../lib/phases.js";
import { setFit, setNode } from "../actions.js";
import { fieldError, focus, opened, preset, scenario, t } from "../state.js";
import { ConvKnobs } from "./lab_conv.js";
import { Segmented } from "./segmented.js";

/** @typedef {import("../types.d.ts").NodeSpec} NodeSpec */

const ACTIVATIONS = ["relu", "leaky_relu", "sigmoid", "tanh", "gelu", "elu"];
const POOLINGS = ["maxpool2d", "avgpool2d"];

export function Lab() {
  const doc = scenario.value;
  if (onInput(focus.value) && opened.value?.input) return html`<div class="lab"><${FitChoice} fit=${opened.value.input.fit} /></div>`;
  if (!doc || (preset.value !== "lab" && preset.value !== "pencil")) return null;
  const conv = doc.network.find(({ kind }) => kind === "conv2d");
  const switches = doc.network.filter(({ kind }) => ACTIVATIONS.includes(kind) || POOLINGS.includes(kind));
  const error = fieldError.value;
  return html`<div class="lab" data-testid="lab" role="group" aria-label=${t.value("lab.label")}>
    ${preset.value === "lab" && conv && html`<${ConvKnobs} node=${conv} doc=${doc} />`}
    ${switches.map((node) => html`<${KindSwitch} key=${node.name} node=${node} />`)}
    ${preset.value === "pencil" && html`<p class="faint">${t.value("lab.pencil")}</p>`}
    ${error && html`<p class="why wrong" role="alert">${error.message}</p>`}
  </div>`;
}

/** How the picture is fitted to the input, above the view that shows it. @param {{fit: string}} props */
function FitChoice({ fit }) {
  const tr = t.value;
  return html`<span class="field">${tr("fit.label")}<${Segmented} label=${tr("fit.label")} prefix="fit" value=${fit} onChoose=${setFit}
    choices=${["contain", "cover", "stretch"].map((value) => ({ value, label: tr(`fit.${value}`) }))} /></span>`;
}

/** Which function a node computes, of those that can stand in for one another. @param {{node: NodeSpec}} props */
function KindSwitch({ node }) {
  const tr = t.value;
  const family = ACTIVATIONS.includes(node.kind) ? ACTIVATIONS : POOLINGS;
  return html`<label class="field">${tr(family === ACTIVATIONS ? "lab.activation" : "lab.pooling")}
    <select data-testid=${`kind-${node.name}`} value=${node.kind} onChange=${(/** @type {any} */ event) => setNode(node.name, { kind: event.target.value })}>
      ${family.map((kind) => html`<option key=${kind} value=${kind}>${tr(`kind.${kind}`)}</option>`)}</select></label>`;
}
