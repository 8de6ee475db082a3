import { html } from "htm/preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

/**
 * A text field lying on the cell being edited. Enter or leaving it takes the value, Escape keeps the old one, Tab goes on to the next cell.
 * @param {{x: number, y: number, side: number, value: number, label: string, done: (value: number | null, next: -1 | 0 | 1) => void}} props
 *   done: null keeps the old value; next: which neighbour to edit then
 */
export function CellEditor({ x, y, side, value, label, done }) {
  const ref = useRef(/** @type {HTMLInputElement | null} */ (null));
  const finished = useRef(false);
  const [wrong, setWrong] = useState(false);
  useLayoutEffect(() => {
    finished.current = false;
    ref.current?.focus();
    ref.current?.select();
  }, [x, y]);
  const finish = (/** @type {number | null} */ number, /** @type {-1 | 0 | 1} */ next) => {
    if (finished.current) return;
    finished.current = true;
    done(number, next);
  };
  const take = (/** @type {-1 | 0 | 1} */ next) => {
    const number = parse(ref.current?.value ?? "");
    if (number === null) setWrong(true);
    else finish(number === value ? null : number, next);
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    event.stopPropagation();
    if (event.key === "Enter") take(0);
    else if (event.key === "Escape") finish(null, 0);
    else if (event.key === "Tab") {
      event.preventDefault();
      take(event.shiftKey ? -1 : 1);
    }
  };
  const wide = Math.max(side, 52);
  return html`<input
    ref=${ref}
    class="cell-edit"
    style=${{ left: `${x + side / 2 - wide / 2}px`, top: `${y}px`, width: `${wide}px`, height: `${side}px` }}
    value=${String(+value.toPrecision(7))}
    inputmode="decimal"
    autocomplete="off"
    spellcheck=${false}
    aria-label=${label}
    aria-invalid=${wrong}
    onInput=${() => setWrong(false)}
    onKeyDown=${keys}
    onBlur=${() => finish(parse(ref.current?.value ?? "") ?? null, 0)}
  />`;
}

/** Accepts 1.5, 1,5, −1.5, 1e-3 and 1/3. @param {string} text @returns {number | null} */
export function parse(text) {
  const plain = text.trim().replace(/[−–]/g, "-").replace(",", ".");
  if (plain === "") return null;
  const [, top, bottom] = plain.match(/^([^/]+)\/([^/]+)$/) ?? [];
  const number = top ? Number(top) / Number(bottom) : Number(plain);
  return Number.isFinite(number) && Math.abs(number) < 3e38 ? number : null;
}
