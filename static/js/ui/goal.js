/** What the network should have said, and how it learns from that: target, loss, penalty, optimiser. */
import { html } from "htm/preact";
import { setGoal, setTarget } from "../actions.js";
import { scenario, t } from "../state.js";
import { FloatingCard } from "./floating.js";
import { Fields, NumberField } from "./goal_fields.js";
import { classOf, LOSSES, lossKind, OPTIMIZERS, outputs, SCHEDULES, targetFor, valuesOf } from "./goal_doc.js";
import { panel } from "./panel.js";
import { Segmented } from "./segmented.js";

/** More buttons than this would be a wall; the number is typed then. */
const MOST_BUTTONS = 24;

export function GoalCard() {
  const tr = t.value;
  const doc = scenario.value;
  const on = doc?.target !== undefined && doc.target !== null;
  return html`<${FloatingCard} title=${tr("goal.title")} testid="goal-card" look="goal">
    <p class="faint">${tr(on ? "goal.lead" : "goal.lead.first")}</p>
    <${Target} />
    ${on && html`<${Loss} /><${Penalty} /><${Optimizer} />`}
  <//>`;
}

/** @param {{title: string, about?: string, children: import("preact").ComponentChildren}} props */
function Part({ title, about, children }) {
  return html`<section class="goal-part"><h3>${title}</h3><div class="init-bar">${children}</div>${about && html`<p class="faint">${about}</p>`}</section>`;
}

function Target() {
  const tr = t.value;
  const doc = scenario.value;
  const out = outputs();
  const kind = lossKind(doc);
  const classes = LOSSES[kind]?.classes && out.vector;
  const chosen = classOf(doc?.target);
  // the first answer leads to the loss, which the card would cover
  const set = (/** @type {unknown} */ target) => {
    if (!doc?.target && doc?.target !== 0) panel.value = null;
    void setTarget(target, doc?.loss?.kind === kind || kind === "cross_entropy" ? undefined : { kind });
  };
  const clear = doc?.target !== undefined && doc.target !== null
    && html`<button type="button" class="btn" data-testid="target-none" onClick=${() => setTarget(null)}>${tr("goal.none")}</button>`;
  if (classes && out.count <= MOST_BUTTONS) {
    return html`<${Part} title=${tr("goal.target")} about=${tr("goal.target.class")}>
      <${Segmented} label=${tr("goal.target")} prefix="target" value=${chosen === null ? "" : String(chosen)} onChoose=${(/** @type {string} */ k) => set(targetFor(kind, Number(k)))}
        choices=${Array.from({ length: out.count }, (_, k) => ({ value: String(k), label: String(k) }))} />${clear}<//>`;
  }
  if (classes) {
    return html`<${Part} title=${tr("goal.target")} about=${tr("goal.target.class")}>
      <${NumberField} label=${tr("goal.class")} testid="target-class" value=${chosen ?? ""} min=${0} max=${out.count - 1} onSet=${(/** @type {number} */ k) => set(targetFor(kind, k))} />${clear}<//>`;
  }
  const values = valuesOf(doc?.target, out);
  return html`<${Part} title=${tr("goal.target")} about=${tr(out.vector ? "goal.target.values" : "goal.target.map")}>
    ${(out.vector ? values : values.slice(0, 1)).map((value, i) => html`<${NumberField} key=${i} label=${out.vector ? String(i) : tr("goal.all_cells")} testid=${`target-value-${i}`} value=${value}
      onSet=${(/** @type {number} */ v) => set(targetFor(kind, null, out.vector ? values.with(i, v) : values.map(() => v)))} />`)}${clear}<//>`;
}

function Loss() {
  const tr = t.value;
  const doc = scenario.value;
  const kind = lossKind(doc);
  const choose = (/** @type {any} */ event) => {
    const next = event.target.value;
    void setGoal({ loss: { kind: next }, target: targetFor(next, classOf(doc?.target), undefined, doc?.target) });
  };
  return html`<${Part} title=${tr("goal.loss")} about=${tr(`goal.loss.${kind}`)}>
    <label class="field">${tr("goal.kind")}<select data-testid="loss-kind" value=${kind} onChange=${choose}>
      ${Object.keys(LOSSES).filter((name) => outputs().vector || !LOSSES[name].classes).map((name) => html`<option key=${name} value=${name}>${tr(`kind.${name}`)}</option>`)}</select></label>
    <${Fields} path="loss" fields=${LOSSES[kind]?.fields ?? []} values=${doc?.loss ?? {}} onSet=${(/** @type {object} */ patch) => setGoal({ loss: { ...doc?.loss, ...patch } })} /><//>`;
}

function Penalty() {
  const tr = t.value;
  const penalty = scenario.value?.penalty ?? {};
  return html`<${Part} title=${tr("goal.penalty")} about=${tr("goal.penalty.about")}>
    <${Fields} path="penalty" fields=${["l1", "l2"]} values=${penalty} onSet=${(/** @type {object} */ patch) => setGoal({ penalty: { ...penalty, ...patch } })} /><//>`;
}

function Optimizer() {
  const tr = t.value;
  const doc = scenario.value;
  const now = doc?.optimizer ?? { kind: "sgd" };
  const kind = String(now.kind);
  const schedule = now.schedule ?? { kind: "constant" };
  const set = (/** @type {object} */ patch) => setGoal({ optimizer: { ...now, ...patch } });
  return html`<${Part} title=${tr("goal.optimizer")} about=${tr(`goal.optimizer.${kind}`)}>
    <label class="field">${tr("goal.kind")}<select data-testid="optimizer-kind" value=${kind} onChange=${(/** @type {any} */ event) => setGoal({ optimizer: { kind: event.target.value } })}>
      ${Object.keys(OPTIMIZERS).map((name) => html`<option key=${name} value=${name}>${tr(`kind.${name}`)}</option>`)}</select></label>
    <${Fields} path="optimizer" fields=${OPTIMIZERS[kind] ?? []} values=${now} onSet=${set} />
    <${Fields} path="optimizer" fields=${["clip_norm", "clip_value"]} values=${now} onSet=${set} />
    <label class="field">${tr("goal.schedule")}<select data-testid="schedule-kind" value=${schedule.kind} onChange=${(/** @type {any} */ event) => set({ schedule: { kind: event.target.value, ...SCHEDULES[event.target.value].start } })}>
      ${Object.keys(SCHEDULES).map((name) => html`<option key=${name} value=${name}>${tr(`goal.schedule.${name}`)}</option>`)}</select></label>
    <${Fields} path="optimizer.schedule" fields=${SCHEDULES[schedule.kind]?.fields ?? []} values=${schedule} onSet=${(/** @type {object} */ patch) => set({ schedule: { ...schedule, ...patch } })} />
    <${Segmented} label=${tr("goal.mode")} prefix="mode" value=${String(doc?.mode ?? "eval")} onChoose=${(/** @type {string} */ mode) => setGoal({ mode })}
      choices=${["eval", "train"].map((mode) => ({ value: mode, label: tr(`goal.mode.${mode}`), title: tr("goal.mode.about") }))} /><//>`;
}
