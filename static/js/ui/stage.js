import { html } from "htm/preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import * as actions from "../actions.js";
import { onInput } from "../lib/phases.js";
import * as state from "../state.js";
import { hideLoupe } from "../draw/loupe.js";
import { hideTip } from "../draw/tip.js";
import { fetchView, viewOf } from "../views/index.js";
import { geometryText } from "./geometry_text.js";
import { panel, togglePanel } from "./panel.js";
import { stageProps } from "./stage_props.js";

/** Keep the newest marks only: an hour of playing writes 216 000. */
const MARKS = 100;

/** @param {string} name */
function mark(name) {
  performance.mark(name);
  const marks = performance.getEntriesByName(name, "mark");
  // dropping them one by one is not possible: clear all when twice too many
  if (marks.length > 2 * MARKS) performance.clearMarks(name);
}

/** Where a step is shown: title line, and the view of the layer's kind. Nothing in focus: a quiet hint. */
export function Stage() {
  const opened = state.opened.value;
  const focus = state.focus.value;
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const size = useSize(box, Boolean(opened && focus));
  const node = opened && focus ? opened.nodes.find((entry) => entry.name === focus.node) : null;
  useMarks(focus);
  useTimeHeight();
  if (!opened || !focus) return html`<section class="stage empty" data-testid="stage"><${Hint} waiting=${!opened} /></section>`;
  const input = onInput(focus);
  const props = stageProps(size, input);
  return html`<section class=${`stage ${state.layout.value}`} data-testid="stage" aria-label=${state.t.value("stage.label")}>
    <${Title} props=${props} focus=${focus} node=${node} />
    <div class="stage-body" ref=${box}>${props && size.w > 0 ? body(props) : html`<div class="stage-wait" role="status">${state.t.value("stage.loading")}</div>`}</div>
    <${Live} props=${props} />
  </section>`;
}

/** Once somebody does something, the views of all the layers come, so that playing through the network waits for none. */
function fetchViews() {
  for (const block of state.opened.peek()?.blocks ?? []) void fetchView(block);
  void fetchView(undefined);
}
for (const type of ["pointerdown", "keydown"]) addEventListener(type, fetchViews, { once: true, capture: true });

/** @param {NonNullable<ReturnType<typeof stageProps>>} props */
function body(props) {
  const view = viewOf(props.block);
  if (!view) return null;
  // a view starts afresh when the block changes: its hooks belong to one layer
  return html`<${view.View} key=${`${props.node.name} ${props.block?.writes ?? ""}`} ...${props} />`;
}

/** Size of an element, followed without layout reads in the render. @param {{current: HTMLElement | null}} ref @param {boolean} shown */
function useSize(ref, shown) {
  const [size, setSize] = useState({ w: 0, h: 0 });
  useLayoutEffect(() => {
    if (!ref.current) return undefined;
    const watch = new ResizeObserver(([entry]) => {
      const { width, height } = entry.contentRect;
      setSize((old) => (Math.abs(old.w - width) < 1 && Math.abs(old.h - height) < 1 ? old : { w: width, h: height }));
    });
    watch.observe(ref.current);
    return () => watch.disconnect();
  }, [shown]);
  return size;
}

/** `stage-shown` when a map came into focus, `step-drawn` for every step, both after the pixels are there.
 * @param {import("../types.d.ts").Focus | null} focus */
function useMarks(focus) {
  const step = state.stepData.value;
  const input = onInput(focus);
  const index = input ? 0 : step?.index ?? -1;
  // until the step of the new map and its view have arrived, nothing of it is seen
  const here = step?.block.node === focus?.node && step?.block.phase === (focus?.phase ?? "forward");
  const arrived = input ? viewOf(undefined) !== null : here && viewOf(step?.block) !== null;
  const key = focus ? `${focus.node} ${focus.channel} ${focus.phase ?? "forward"}` : "";
  const shown = useRef("");
  useLayoutEffect(() => {
    if (!key) shown.current = "";
    else if (arrived && shown.current !== key) {
      shown.current = key;
      afterPaint(() => mark("convoscope:stage-shown"));
    }
  }, [key, arrived]);
  useLayoutEffect(() => {
    if (key && index >= 0 && arrived) afterPaint(() => mark("convoscope:step-drawn"));
  }, [step, index, key, arrived]); // a new trace redraws the same step with other numbers
  useEffect(() => {
    hideTip();
    hideLoupe();
  }, [key]);
}

/** Height of the timeline, which covers the bottom of a phone's screen: what sticks to the bottom sticks above it. */
function useTimeHeight() {
  const narrow = state.layout.value === "narrow";
  useEffect(() => {
    const time = document.querySelector("[data-testid=timeline]")?.closest("footer") ?? null;
    if (!narrow || !time) return undefined;
    const watch = new ResizeObserver(() => document.documentElement.style.setProperty("--time-height", `${time.offsetHeight}px`));
    watch.observe(time);
    return () => watch.disconnect();
  }, [narrow]);
}

const posted = new MessageChannel();
/** What runs at the next post, in order. @type {(() => void)[]} */
const due = [];
posted.port1.onmessage = () => due.shift()?.();

/** A task posted from the frame runs once that frame is on the screen. @param {() => void} run */
function afterPaint(run) {
  requestAnimationFrame(() => {
    due.push(run);
    posted.port2.postMessage(0);
  });
}

/** @param {{waiting: boolean}} props */
function Hint({ waiting }) {
  const t = state.t.value;
  if (waiting) return html`<p class="quiet" role="status">${t("stage.loading")}</p>`;
  return html`<div class="quiet">
    <svg width="56" height="56" viewBox="0 0 56 56" aria-hidden="true"><g fill="none" stroke="currentColor" opacity=".35"><rect x="4" y="4" width="48" height="48" rx="6"/><path d="M20 4v48M36 4v48M4 20h48M4 36h48"/></g><rect class="gold" x="19" y="19" width="34" height="34" rx="5"/></svg>
    <p>${t("stage.hint")}</p>
    <button type="button" class="btn" onClick=${() => startFirst()}>${t("stage.hint_go")}</button>
  </div>`;
}

/** The first map that is computed. */
function startFirst() {
  const first = state.opened.value?.blocks[0];
  if (first) actions.focusMap(first.node, 0);
}

/** What is on the stage: a map of a node, or what a later phase writes there. @param {any} props */
function Title({ props, focus, node }) {
  const t = state.t.value;
  const opened = /** @type {NonNullable<typeof state.opened.value>} */ (state.opened.value);
  const block = props?.block;
  const phase = block?.phase ?? focus.phase ?? "forward";
  const channel = block && block.shape.length >= 4 ? props.cell[1] : focus.channel;
  const maps = (node ? node.shape : opened.tensors.find((entry) => entry.name === "input")?.shape ?? []).length >= 4;
  const part = phase !== "forward" ? (block ? partName(block, t) : "") : maps ? t("stage.channel", { c: channel ?? 0 }) : "";
  return html`<header class=${`stage-title ${phase}`}>
    <h2>${phase === "loss" ? t("kind.loss") : props?.node.name ?? focus.node}${part ? html` · <span>${part}</span>` : null}</h2>
    <p>${props ? (phase === "forward" ? geometryText(props) : block.writes) : ""}</p>
    ${(phase !== "forward" || onInput(focus)) && html`<button type="button" class="btn small" data-testid="saliency-open" onClick=${() => togglePanel("saliency")}>${t("saliency.open")}</button>`}
    ${phase !== "forward" && html`<button type="button" class="btn small" data-testid="goal-open" aria-expanded=${panel.value === "goal"} onClick=${() => togglePanel("goal")}>${goalText(t)}</button>`}
    <button type="button" class="esc" onClick=${() => actions.unfocus()}><kbd>Esc</kbd> ${t("stage.back")}</button>
  </header>`;
}

/** What is learnt, in a few words. @param {import("../types.d.ts").Translate} t */
function goalText(t) {
  const { target, loss, optimizer } = state.opened.value?.scenario ?? {};
  const plain = typeof target === "number" ? String(target) : Array.isArray(target) && typeof target[0] === "number" ? target.join(", ") : t("goal.values");
  return t("goal.chosen", { target: plain, loss: t(`kind.${loss?.kind}`), optimizer: t(`kind.${optimizer?.kind}`), lr: Number(optimizer?.lr) });
}

/** What a block of the later phases writes, in words. @param {import("../types.d.ts").Block} block @param {import("../types.d.ts").Translate} t */
function partName({ phase, kind, writes }, t) {
  if (phase === "loss") return t(`kind.${kind}`);
  if (phase === "update") return t(`kind.${kind}`);
  if (kind === "accumulate") return t("part.accumulate");
  const short = writes.replace(/\.grad(@.*)?$/, "").split(".").pop() ?? "";
  return ["weight", "bias"].includes(short) ? t(`part.${short}`) : writes.endsWith(".grad") || writes.includes(".grad@") ? t("part.input") : t("part.inner", { name: short });
}

/** The step in words. */
function spoken() {
  const step = state.stepData.peek();
  return step ? state.t.peek()("stage.live", {
    tensor: step.block.writes, cell: step.cell.slice(step.block.shape[0] === 1 ? 1 : 0).join(", "), value: String(+step.result.toPrecision(6)),
  }) : "";
}

/** The step for those who hear the page; politely, and only once the steps have come to rest. The effect outlives a change of the picture: it must not see
 * the props. @param {any} props */
function Live({ props }) {
  const [text, setText] = useState("");
  const index = props?.step?.index ?? -1;
  useEffect(() => {
    if (index < 0) return undefined;
    const timer = setTimeout(() => setText(spoken()), 700);
    return () => clearTimeout(timer);
  }, [index, state.t.value]);
  return html`<p class="vh" aria-live="polite">${text}</p>`;
}
