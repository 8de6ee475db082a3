/** The timeline: a track of layers with its head, a finer one for the channel under the head, and the controls. */
import { useComputed, useSignalEffect } from "@preact/signals";
import { html } from "htm/preact";
import { useRef } from "preact/hooks";
import { first, last, move, seek, setSpeed, toggle } from "../actions.js";
import { groups } from "./numbers.js";
import { cursor, layout, looping, opened, pastEnd, playedOut, playing, repeat, speed, t, unit } from "../state.js";
import { icon } from "./icons.js";
import { panel, togglePanel } from "./panel.js";
import { ScaleChoice } from "./scale_choice.js";
import { Segmented } from "./segmented.js";
import { Nest, Track } from "./tracks.js";

/** Above this many steps per second the server sends ticks only, and the page draws rows and whole maps. */
const HONEST = 2000;

export function Timeline() {
  const tr = t.value;
  const trace = opened.value;
  return html`<footer class="time" data-testid="timeline">
    ${trace && html`<div class="tracks">
      <button type="button" class="track-init" data-testid="init-open" aria-expanded=${panel.value === "init"} title=${tr("init.open")}
        onClick=${() => togglePanel("init")}>${icon("dice", 15)}${layout.value === "narrow" ? "" : tr("timeline.init")}</button>
      <div class="track-both"><${Track} /><${Nest} /></div>
      <${GoalButton} />
    </div>`}
    <div class="ctl">
      <${Transport} />
      <${Segmented} label=${tr("timeline.unit")} prefix="unit" value=${unit.value} onChoose=${(/** @type {any} */ u) => (unit.value = u)}
        choices=${["step", "row", "channel", "layer"].map((u) => ({ value: u, label: tr(`timeline.unit.${u}`) }))} />
      <${Speed} />
      <span class="sp"></span>
      <${StepField} />
      ${layout.value !== "narrow" && html`<${ScaleChoice} />`}
    </div>
  </footer>`;
}

/** What a network without a target has not got yet; whoever goes on at the end of the forward phase is asked for it. */
function GoalButton() {
  const tr = t.value;
  const trace = opened.value;
  const later = trace?.blocks.some(({ phase }) => phase !== "forward");
  useSignalEffect(() => {
    if (pastEnd.value > 0 && !opened.peek()?.blocks.some(({ phase }) => phase !== "forward")) panel.value = "goal";
  });
  if (later) return html`<${Again} />`;
  return html`<button type="button" class="track-goal" data-testid="goal-open" aria-expanded=${panel.value === "goal"} title=${tr("goal.open.about")}
    onClick=${() => togglePanel("goal")}>${layout.value === "narrow" ? "" : html`<span class="ghost loss">${tr("phase.loss")}</span><span class="ghost backward">${tr("phase.backward")}</span><span class="ghost update">${tr("phase.update")}</span>`}
    <span class="ask">${tr("goal.open")}</span></button>`;
}

/** Behind the update: the next iteration, and whether playing goes on into it. */
function Again() {
  const tr = t.value;
  const seen = useRef(playedOut.peek());
  const n = looping.value?.n ?? 0;
  useSignalEffect(() => {
    if (playedOut.value > seen.current && repeat.peek()) void import("../loop.js").then(({ playOn }) => playOn());
    seen.current = playedOut.value;
  });
  return html`<div class="track-again">
    <button type="button" class="btn" data-testid="next-iteration" title=${tr("loop.next.about")} onClick=${() => void import("../loop.js").then(({ nextIteration }) => nextIteration())}>
      ${icon("again", 15)}${layout.value === "narrow" ? "" : tr("loop.next")}</button>
    <label title=${tr("loop.repeat.about")}><input type="checkbox" data-testid="loop-on" checked=${repeat.value} onChange=${(/** @type {any} */ event) => (repeat.value = event.target.checked)} />
      ${tr("loop.repeat")}${n > 0 && html` · <span data-testid="iteration">${n}</span>`}</label></div>`;
}

/** First, back, play, forward, last. */
function Transport() {
  const tr = t.value;
  const steps = opened.value?.steps ?? 0;
  const atStart = useComputed(() => cursor.value <= 0).value;
  const atEnd = useComputed(() => cursor.value >= (opened.value?.steps ?? 0) - 1).value;
  const name = tr(`timeline.unit.${unit.value}`);
  /** @param {string} testid @param {string} picture @param {string} label @param {boolean} off @param {() => void} act */
  const button = (testid, picture, label, off, act, look = "") => html`<button type="button" class=${`btn icon ${look}`} data-testid=${testid}
    aria-label=${label} title=${label} aria-disabled=${off || !steps} onClick=${() => off || !steps || act()}>${icon(picture)}</button>`;
  return html`
    ${button("step-first", "first", tr("timeline.first"), atStart, first)}
    ${button("step-back", "back", tr("timeline.back", { unit: name }), atStart, () => move(unit.value, -1))}
    ${button("play", playing.value ? "pause" : "play", tr(playing.value ? "timeline.pause" : "timeline.play"), false, toggle, "go")}
    ${button("step-forward", "forward", tr("timeline.forward", { unit: name }), atEnd, () => move(unit.value, 1))}
    ${button("step-last", "last", tr("timeline.last"), atEnd, last)}`;
}

/** 1 … 10⁶ steps/s on a logarithmic slider, two figures of precision. */
function Speed() {
  const tr = t.value;
  const shown = tr("timeline.rate", { n: groups(speed.value) });
  const fast = speed.value > HONEST;
  return html`<label class="field speed"><span class="lbl">${tr("timeline.speed")}</span>
    <input type="range" min="0" max="60" step="1" data-testid="speed" aria-valuetext=${shown} value=${Math.round(10 * Math.log10(speed.value))}
      onInput=${(/** @type {any} */ event) => setSpeed(nice(10 ** (event.target.value / 10)))} />
    <output>${shown}${fast && html`<small>${tr("timeline.fast")}</small>`}</output></label>`;
}

/** @param {number} rate rounded to two figures */
export function nice(rate) {
  const unitOf = 10 ** Math.max(0, Math.floor(Math.log10(rate)) - 1);
  return Math.max(1, Math.round(rate / unitOf) * unitOf);
}

/** The number of the step; typing another one and Enter goes there. Steps count from 0, as in `trace[i]`. */
function StepField() {
  const tr = t.value;
  const trace = opened.value;
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  // while somebody types, the number stays theirs
  useSignalEffect(() => {
    const text = groups(cursor.value);
    if (field.current && document.activeElement !== field.current) field.current.value = text;
  });
  const commit = (/** @type {any} */ event) => {
    if (!trace) return;
    const typed = Number(event.target.value.replace(/[^\d]/g, ""));
    if (event.target.value.trim() !== "" && Number.isFinite(typed)) seek(Math.max(0, Math.min(trace.steps - 1, typed)));
    event.target.value = groups(cursor.value);
  };
  if (!trace) return null;
  return html`<label class="field at" title=${tr("timeline.step.about", { last: groups(trace.steps - 1) })}><span class="lbl">${tr("timeline.step")}</span>
    <input type="text" inputmode="numeric" style=${{ width: `${groups(trace.steps).length + 1.5}ch` }} autocomplete="off" data-testid="step-number" ref=${field} value=${groups(cursor.peek())} onChange=${commit}
      onFocus=${(/** @type {any} */ event) => event.target.select()}
      onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === "Enter" && commit(event)} />
    <span>${tr("timeline.of")} <span data-testid="step-total" class="num">${groups(trace.steps)}</span></span></label>`;
}
