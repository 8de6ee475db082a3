/** A modal dialog of the browser's own kind: focus stays inside, Escape closes, the focus returns. */
import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../state.js";
import { icon } from "./icons.js";

/** @param {{title: string, testid: string, look?: string, onClose: () => void, children: import("preact").ComponentChildren}} props */
export function Dialog({ title, testid, look = "", onClose, children }) {
  const root = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    const dialog = root.current;
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    dialog?.showModal();
    return () => before?.focus?.(); // leaving the document closes it
  }, []);
  const label = t.value("dialog.close");
  return html`<dialog class=${`card ${look}`} ref=${root} aria-label=${title} data-testid=${testid} onClose=${onClose}
      onClick=${(/** @type {Event} */ event) => event.target === root.current && onClose()}>
    <header><h2>${title}</h2><span class="sp"></span>
      <button type="button" class="btn icon bare" aria-label=${label} title=${label} onClick=${onClose}>${icon("close")}</button></header>
    <div class="body">${children}</div>
  </dialog>`;
}
