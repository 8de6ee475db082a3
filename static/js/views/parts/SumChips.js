import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { CellEditor } from "./CellEditor.js";

/**
 * @typedef {{text: string, label: string, role: "v" | "w" | "g" | "r" | "plain", full?: string, hot?: boolean, testid?: string,
 *   hover?: () => void, pin?: () => void, edit?: ((value: number) => void) | null, value?: number}} Chip
 */

/**
 * The sum in one line: partial + partial + bias = result.
 * @param {{chips: (Chip | string)[], leave: () => void}} props strings are operators
 */
export function SumChips({ chips, leave }) {
  return html`<div class="sums" onPointerLeave=${leave}>
    ${chips.map((chip, i) => (typeof chip === "string" ? html`<span key=${i} class="op">${chip}</span>` : html`<${One} key=${i} chip=${chip} />`))}
  </div>`;
}

/** @param {{chip: Chip}} props */
function One({ chip }) {
  const [editing, setEditing] = useState(false);
  const start = () => chip.edit && setEditing(true);
  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Enter" && chip.edit) start();
    else chip.pin?.();
  };
  const active = chip.pin || chip.edit;
  return html`<span class=${`term ${chip.role} ${chip.hot ? "hot" : ""} ${chip.edit ? "can-edit" : ""}`} title=${chip.full} data-testid=${chip.testid}
    tabindex=${active ? 0 : undefined} role=${active ? "button" : undefined}
    onPointerEnter=${chip.hover} onClick=${chip.pin} onDblClick=${start} onKeyDown=${active && keys}>
    <b>${chip.text}</b><small>${chip.label}</small>
    ${editing && html`<${CellEditor} x=${4} y=${2} side=${30} value=${chip.value ?? 0} label=${chip.label}
      done=${(/** @type {number | null} */ v) => { setEditing(false); if (v !== null) chip.edit?.(v); }} />`}
  </span>`;
}
