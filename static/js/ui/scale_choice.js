/** Whether maps share their colour scale: each its own, one per layer, one for the network. */
import { html } from "htm/preact";
import { setScale } from "../actions.js";
import { scaleMode, t } from "../state.js";
import { Segmented } from "./segmented.js";

export function ScaleChoice() {
  const tr = t.value;
  return html`<span class="field scale"><span class="lbl">${tr("timeline.scale")}</span><${Segmented} label=${tr("timeline.scale.label")} prefix="scale" value=${scaleMode.value}
    onChoose=${setScale} choices=${["map", "layer", "network"].map((value) => ({ value, label: tr(`timeline.scale.${value}`) }))} /></span>`;
}
