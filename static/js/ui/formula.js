/** A formula set by KaTeX, which is loaded when the first one is shown; until then its source stands there. */
import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";
import { renderMath } from "../lib/math.js";

/** @param {{tex: string}} props */
export function Formula({ tex }) {
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    if (root.current) void renderMath(root.current, tex);
  }, [tex]);
  return html`<div class="tex" ref=${root}></div>`;
}
