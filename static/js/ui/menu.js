/** A button with a menu of choices: arrows move, Enter chooses, Escape and a click elsewhere close it and give the focus back. */
import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";

/** @typedef {{value: string, label: string, about?: string, lang?: string}} Choice */

/**
 * @param {{label: string, testid: string, value: string, choices: Choice[], onChoose: (value: string) => void,
 *   children: import("preact").ComponentChildren, look?: string, align?: string}} props label: accessible name; children: what the button shows
 */
export function Menu({ label, testid, value, choices, onChoose, children, look = "pick", align = "" }) {
  const [open, setOpen] = useState(false);
  const root = useRef(/** @type {HTMLDivElement | null} */ (null));
  const items = () => /** @type {HTMLElement[]} */ ([...(root.current?.querySelectorAll("[role=menuitemradio]") ?? [])]);
  const button = () => /** @type {HTMLElement | null} */ (root.current?.querySelector("[aria-haspopup]") ?? null);

  useEffect(() => {
    if (!open) return;
    (items().find((item) => item.getAttribute("aria-checked") === "true") ?? items()[0])?.focus();
    const away = (/** @type {Event} */ event) => {
      if (!root.current?.contains(/** @type {Node} */ (event.target))) setOpen(false);
    };
    document.addEventListener("pointerdown", away);
    return () => document.removeEventListener("pointerdown", away);
  }, [open]);

  const close = () => {
    setOpen(false);
    button()?.focus();
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (!open) {
      if (event.key === "ArrowDown") { event.preventDefault(); setOpen(true); }
      return;
    }
    const all = items();
    const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to !== undefined) all[(to + all.length) % all.length].focus();
    else if (event.key === "Escape") close();
    else if (event.key === "Tab") { setOpen(false); return; }
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return html`<div class="anchor" ref=${root} onKeyDown=${keys}>
    <button type="button" class=${look} aria-haspopup="menu" aria-expanded=${open} aria-label=${label} title=${label} data-testid=${testid}
      onClick=${() => setOpen(!open)}>${children}</button>
    ${open && html`<div class="menu ${align}" role="menu" aria-label=${label}>
      ${choices.map((choice) => html`<button type="button" role="menuitemradio" tabindex="-1" key=${choice.value} lang=${choice.lang}
        aria-checked=${choice.value === value} data-testid=${`${testid}-${choice.value}`}
        onClick=${() => { close(); onChoose(choice.value); }}>${choice.label}${choice.about && html`<small>${choice.about}</small>`}</button>`)}
    </div>`}
  </div>`;
}
