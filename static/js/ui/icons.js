/** Small drawn icons. All 20×20, stroked or filled in currentColor, hidden from assistive technology: the button says what it does. */
import { html } from "htm/preact";

/** @type {Record<string, {d: string, fill?: boolean}>} */
const PATHS = {
  first: { d: "M5 4v12M15 4l-8 6 8 6z", fill: true },
  back: { d: "M13 4l-7 6 7 6z", fill: true },
  play: { d: "M6 3.5v13l10.5-6.5z", fill: true },
  pause: { d: "M6.5 4v12M13.5 4v12" },
  forward: { d: "M7 4l7 6-7 6z", fill: true },
  last: { d: "M15 4v12M5 4l8 6-8 6z", fill: true },
  upload: { d: "M10 13V4M6.5 7L10 3.5 13.5 7M4 12.5V16h12v-3.5" },
  pencil: { d: "M4 16l.8-3.4L13 4.4a1.6 1.6 0 0 1 2.3 0l.3.3a1.6 1.6 0 0 1 0 2.3L7.4 15.2zM11.5 6l2.5 2.5" },
  sun: { d: "M10 6.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.3 4.3l1.1 1.1M14.6 14.6l1.1 1.1M15.7 4.3l-1.1 1.1M5.4 14.6l-1.1 1.1" },
  moon: { d: "M15.8 12.3A6.6 6.6 0 0 1 7.7 4.2a6.6 6.6 0 1 0 8.1 8.1z" },
  help: { d: "M7.5 7.6a2.5 2.5 0 1 1 3.6 2.3c-.8.4-1.1.9-1.1 1.8M10 14.6v.2" },
  link: { d: "M8.3 11.7a3 3 0 0 0 4.3 0l2.8-2.8a3 3 0 0 0-4.3-4.3l-.9.9M11.7 8.3a3 3 0 0 0-4.3 0l-2.8 2.8a3 3 0 0 0 4.3 4.3l.9-.9" },
  close: { d: "M5 5l10 10M15 5L5 15" },
  undo: { d: "M7.5 4.5L4 8l3.5 3.5M4 8h7.5a4 4 0 0 1 0 8H8" },
  chevron: { d: "M5.5 8l4.5 4.5L14.5 8" },
  check: { d: "M4.5 10.5l3.5 3.5 7.5-8" },
  panel: { d: "M3 4.5h14v11H3zM12 4.5v11" },
  dice: { d: "M4 4h12v12H4zM7.3 7.3v.1M12.7 7.3v.1M10 10v.1M7.3 12.7v.1M12.7 12.7v.1" },
  again: { d: "M15.5 10a5.5 5.5 0 1 1-1.7-4M15.5 3v3.5H12" },
  trash: { d: "M4.5 6h11M8 6V4h4v2M6 6l.7 10h6.6L14 6" },
};

/**
 * @param {string} name a key of PATHS
 * @param {number} [size] px
 */
export function icon(name, size = 18) {
  const { d, fill } = /** @type {{d: string, fill?: boolean}} */ (PATHS[name]);
  return html`<svg width=${size} height=${size} viewBox="0 0 20 20" aria-hidden="true" focusable="false"
    fill=${fill ? "currentColor" : "none"} stroke="currentColor" stroke-width="1.6" stroke-linejoin="round" stroke-linecap="round">
    <path d=${d} /></svg>`;
}

/** The brand: a grid of cells with the one gold window on it. */
export function brandMark() {
  return html`<svg width="24" height="24" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    <g fill="none" stroke="currentColor" stroke-width="1.2" opacity=".45"><rect x="1.5" y="1.5" width="21" height="21" rx="3" />
    <path d="M8.5 1.5v21M15.5 1.5v21M1.5 8.5h21M1.5 15.5h21" /></g>
    <rect x="8" y="8" width="15" height="15" rx="2.5" fill="#f2b705" fill-opacity=".25" stroke="#f2b705" stroke-width="2.4" /></svg>`;
}
