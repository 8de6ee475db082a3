/** Notices at the foot of the page, and the banner while the connection is lost. Both are announced politely, errors at once. */
import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";
import { conn, notice, t } from "../state.js";
import { icon } from "./icons.js";

/** A notice stays for its reading time: 4 s and 50 ms a character. Errors and sticky ones stay until closed. */
const readingMs = (/** @type {string} */ text) => 4000 + 50 * text.length;

export function Notices() {
  const shown = notice.value;
  useEffect(() => {
    if (!shown || shown.sticky || shown.level === "error") return;
    const timer = setTimeout(() => { if (notice.peek() === shown) notice.value = null; }, readingMs(shown.text));
    return () => clearTimeout(timer);
  }, [shown]);
  const bad = shown?.level === "error";
  return html`<div class="toasts">
    <div role="status" aria-live="polite">${shown && !bad && html`<${Toast} notice=${shown} />`}</div>
    <div role="alert">${shown && bad && html`<${Toast} notice=${shown} />`}</div>
  </div>`;
}

/** @param {{notice: {level: string, text: string, field?: string}}} props */
function Toast({ notice: shown }) {
  const tr = t.value;
  return html`<div class=${`toast ${shown.level}`} data-testid="notice">
    <p>${shown.level === "error" && html`<b>${tr("notice.error")} </b>`}${shown.text}</p>
    <button type="button" aria-label=${tr("notice.close")} title=${tr("notice.close")} onClick=${() => (notice.value = null)}>${icon("close", 16)}</button>
  </div>`;
}

/** Lost: says so; back: says so for two seconds. A blink of less than half a second is not worth a banner. */
export function Connection() {
  const [seen, setSeen] = useState(/** @type {"" | "lost" | "back"} */ (""));
  const state = conn.value;
  useEffect(() => {
    if (state === "open") {
      if (seen !== "lost") return;
      setSeen("back");
      const timer = setTimeout(() => setSeen(""), 2000);
      return () => clearTimeout(timer);
    }
    const timer = setTimeout(() => setSeen("lost"), 500);
    return () => clearTimeout(timer);
  }, [state]);
  const tr = t.value;
  return html`<div role="status" aria-live="polite" data-testid="conn" data-state=${state}>
    ${seen && html`<p class="conn">${seen === "lost" && html`<span class="busy"></span>`}${tr(seen === "lost" ? "notice.lost" : "notice.back")}</p>`}</div>`;
}
