/** One line that says what to do, until it has been done or closed. */
import { signal } from "@preact/signals";
import { html } from "htm/preact";
import { useEffect } from "preact/hooks";
import { cursor, focus, layout, opened, t } from "../state.js";
import { icon } from "./icons.js";
import { panel } from "./panel.js";

const KEY = "convoscope.hint";

/** Storage may be forbidden; then the hint comes back, which does no harm. */
function remembered() {
  try {
    return localStorage.getItem(KEY) === "done";
  } catch {
    return false;
  }
}

const done = signal(remembered());

function dismiss() {
  done.value = true;
  try {
    localStorage.setItem(KEY, "done");
  } catch { /* forbidden: only for this visit */ }
}

/** In the header where there is room, else as a line of its own under the stage: it must not lie on numbers. @param {{place: "header" | "stage"}} props */
export function Hint({ place }) {
  const tr = t.value;
  const trace = opened.value;
  useEffect(() => {
    if (!trace || done.value) return;
    const start = cursor.peek();
    return cursor.subscribe((step) => { if (Math.abs(step - start) >= 3) dismiss(); });
  }, [trace]);
  if ((layout.value === "wide") !== (place === "header")) return null;
  if ((layout.value === "wide") !== (place === "header")) return null;
  if (!trace || !focus.value || done.value || panel.value) return null; // without a map in focus the stage says what to do
  return html`<p class="hint" role="note">${tr(layout.value === "narrow" ? "hint.touch" : "hint.keys")}
    <button type="button" aria-label=${tr("notice.close")} onClick=${dismiss}>${icon("close", 14)}</button></p>`;
}
