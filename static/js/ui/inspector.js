import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { onInput } from "../lib/phases.js";
import * as state from "../state.js";
import { CodeTab } from "./inspector_code.js";
import { ExplainTab } from "./inspector_explain.js";
import { ReceiptTab } from "./inspector_receipt.js";
import { Late } from "./late.js";
import { stageProps } from "./stage_props.js";

const TABS = /** @type {const} */ (["explain", "receipt", "code", "chain"]);

const loadChain = () => import("./inspector_chain.js").then(({ ChainTab }) => ChainTab);

/** The words and the receipt follow at most this often: nobody reads at 60 steps/s, and the frames belong to the stage. */
const CALM_MS = 90;

/**
 * A value that changes at once when it changed seldom, else every CALM_MS; the last one always arrives.
 * @template T
 * @param {T} value @returns {T}
 */
function useCalm(value) {
  const [shown, setShown] = useState(value);
  const changed = useRef(0);
  const wait = Math.max(0, changed.current + CALM_MS - performance.now());
  useEffect(() => {
    if (shown === value) return undefined;
    const take = () => {
      changed.current = performance.now();
      setShown(value);
    };
    if (wait === 0) {
      take();
      return undefined;
    }
    const timer = setTimeout(take, wait);
    return () => clearTimeout(timer);
  }, [value]);
  return shown;
}

/** What is to be said about the step at the cursor: in words, as a receipt, as code. */
export function Inspector() {
  const t = state.t.value;
  const focus = state.focus.value;
  // only what has a loss has a chain
  const tabs = TABS.filter((name) => name !== "chain" || state.opened.value?.blocks.some(({ phase }) => phase === "backward"));
  const tab = tabs.includes(state.tab.value) ? state.tab.value : "explain";
  const input = onInput(focus);
  const step = useCalm(state.stepData.value);
  const props = focus ? stageProps({ w: 0, h: 0 }, input, step) : null;
  const [id] = useState(() => `insp-${Math.random().toString(36).slice(2, 8)}`);
  const turn = (/** @type {KeyboardEvent} */ event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    const next = tabs[(tabs.indexOf(tab) + by + tabs.length) % tabs.length];
    state.tab.value = next;
    document.getElementById(`${id}-${next}`)?.focus();
  };
  return html`<div class="inspector">
    <div class="tabs" role="tablist" aria-label=${t("inspector.label")} onKeyDown=${turn}>
      ${tabs.map((name) => html`<button key=${name} type="button" role="tab" id=${`${id}-${name}`} aria-selected=${tab === name} tabindex=${tab === name ? 0 : -1}
        data-testid=${`tab-${name}`} onClick=${() => { state.tab.value = name; }}>${t(`inspector.${name}`)}</button>`)}
    </div>
    <div class="tab-body" role="tabpanel" aria-labelledby=${`${id}-${tab}`}>
      ${!props ? html`<p class="quiet">${t("inspector.empty")}</p>`
        : tab === "explain" || input ? html`<${ExplainTab} p=${props} />`
        : tab === "receipt" ? html`<${ReceiptTab} p=${props} />`
        : tab === "chain" ? html`<${Late} load=${loadChain} props=${{ p: props }} />`
        : html`<${CodeTab} p=${props} />`}
    </div>
  </div>`;
}
