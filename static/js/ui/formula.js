/** A formula, set as mathematics once the library has come. */
import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";

/** @param {{tex: string, display?: boolean}} props display: on a line of its own */
export function Formula({ tex, display = true }) {
  const ref = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    void import("./math.js").then(({ renderMath }) => { if (ref.current) void renderMath(ref.current, tex, display); });
  }, [tex]);
  return html`<div class=${display ? "formula" : "formula line"} ref=${ref}></div>`;
}
