/** A card that lies over the stage without blocking the rest of the page. Escape and its button close it. */
import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";
import { layout, t } from "../state.js";
import { icon } from "./icons.js";
import { panel } from "./panel.js";

/** @param {{title: string, testid: string, look: string, children: import("preact").ComponentChildren}} props */
export function FloatingCard({ title, testid, look, children }) {
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    root.current?.focus({ preventScroll: true });
    // on a phone it lies below the stage
    if (layout.peek() === "narrow") root.current?.scrollIntoView({ block: "start" });
    return () => before?.focus?.({ preventScroll: true });
  }, []);
  const label = t.value("dialog.close");
  return html`<section class=${`card float ${look}`} ref=${root} tabindex="-1" role="region" aria-label=${title} data-testid=${testid}>
    <header><h2>${title}</h2><span class="sp"></span>
      <button type="button" class="btn icon bare" aria-label=${label} title=${label} onClick=${() => (panel.value = null)}>${icon("close")}</button></header>
    <div class="body">${children}</div>
  </section>`;
}
