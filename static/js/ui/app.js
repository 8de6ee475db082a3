/** The page: header, network map, stage with the inspector beside it, timeline; and what floats over them. */
import { html } from "htm/preact";
import { useEffect } from "preact/hooks";
import { focus, layout, lang, opened, t } from "../state.js";
import { Header } from "./header.js";
import { Hint } from "./hint.js";
import { icon } from "./icons.js";
import { installKeys } from "./keys.js";
import { fetchStage, Late, stageParts } from "./late.js";
import { Lab } from "./lab.js";
import { NetworkMap } from "./map.js";
import { Connection, Notices } from "./notice.js";
import { drawer, panel } from "./panel.js";
import { DropTarget } from "./pictures.js";
import { Timeline } from "./timeline.js";

const loadDialogs = () => import("./dialogs.js").then(({ Dialogs }) => Dialogs);
const loadGoal = () => import("./goal.js").then(({ GoalCard }) => GoalCard);
const loadSaliency = () => import("./saliency.js").then(({ SaliencyCard }) => SaliencyCard);
const loadInitCard = () => import("./init_card.js").then(({ InitCard }) => InitCard);

export function App() {
  const tr = t.value;
  useEffect(installKeys, []);
  // The maps call for the stage once they are painted; should one of them never come, the stage comes all the same.
  useEffect(() => { setTimeout(fetchStage, 1500); }, []);
  useEffect(() => { document.documentElement.lang = lang.value; }, [lang.value]);
  const Stage = stageParts.value?.Stage;
  const dialog = panel.value === "help" || panel.value === "draw";
  return html`<div class="shell" data-layout=${layout.value}>
    <a class="btn go skip" href="#stage-slot" onClick=${skipToStage}>${tr("header.skip")}</a>
    <${Header} />
    <${NetworkMap} />
    <main class="work">
      <${Lab} />
      <section class="stage-slot" id="stage-slot" tabindex="-1">${Stage && html`<${Stage} />`}</section>
      ${panel.value === "init" && opened.value && html`<${Late} load=${loadInitCard} />`}
      ${panel.value === "goal" && opened.value && html`<${Late} load=${loadGoal} />`}
      ${panel.value === "saliency" && opened.value && html`<${Late} load=${loadSaliency} />`}
      <${Hint} place="stage" />
    </main>
    <${Side} />
    <${Timeline} />
    <${Connection} /><${Notices} />${dialog && html`<${Late} load=${loadDialogs} />`}<${DropTarget} />
  </div>`;
}

/** The hash belongs to the permalink: move the focus without touching it. @param {Event} event */
function skipToStage(event) {
  event.preventDefault();
  document.getElementById("stage-slot")?.focus();
}

/** The inspector: beside the stage, below it on a phone, a drawer in between. */
function Side() {
  const tr = t.value;
  const Inspector = stageParts.value?.Inspector;
  const shut = layout.value === "medium" && !drawer.value;
  return html`
    ${layout.value === "medium" && focus.value && !panel.value && html`<button type="button" class="btn drawer-tab" aria-expanded=${drawer.value} data-testid="drawer"
      onClick=${() => (drawer.value = !drawer.value)}>${icon(drawer.value ? "close" : "panel", 16)}<span class="lbl">${tr("inspector.drawer")}</span></button>`}
    <aside class=${`inspector-slot ${shut ? "shut" : ""}`} aria-label=${tr("inspector.drawer")}>${Inspector && html`<${Inspector} />`}</aside>`;
}
