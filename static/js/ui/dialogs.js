/** The modal dialogs: help with its keys, and the drawing pad. */
import { html } from "htm/preact";
import { t } from "../state.js";
import { Dialog } from "./dialog.js";
import { DrawPad } from "./drawpad.js";
import { KEYS } from "./keys.js";
import { panel } from "./panel.js";

const close = () => (panel.value = null);

export function Dialogs() {
  if (panel.value === "help") return html`<${Help} />`;
  if (panel.value === "draw") return html`<${DrawPad} onClose=${close} />`;
  return null;
}

function Help() {
  const tr = t.value;
  return html`<${Dialog} title=${tr("help.title")} testid="help" look="help" onClose=${close}>
    <p class="lead">${tr("help.lead")}</p>
    <dl class="keys">${KEYS.map(({ keys, does }) => html`<dt key=${`${does} keys`}>${keys.map((key) => html`<kbd key=${key}>${key}</kbd>`)}</dt>
      <dd key=${does}>${tr(`help.key.${does}`)}</dd>`)}</dl>
  <//>`;
}
