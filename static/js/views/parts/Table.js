import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";

/** A table follows this long after the last step: filling it at 60 steps/s would serve nobody and cost the frames. */
const SETTLE_MS = 400;

/**
 * The real table behind a canvas, for assistive technology. Filled once the picture has come to rest.
 * @param {{caption: string, rows: number, cols: number, text: (i: number) => string, version: string | number}} props version: changes with the values
 */
export function Table({ caption, rows, cols, text, version }) {
  const settled = useSettled(version);
  // a table grows with its content whatever its height says: the box around it does not
  return html`<div class="vh"><table>
    <caption>${caption}</caption>
    ${settled &&
    html`<tbody>
      ${Array.from({ length: rows }, (_, r) => html`<tr>${Array.from({ length: cols }, (_, c) => html`<td>${text(r * cols + c)}</td>`)}</tr>`)}
    </tbody>`}
  </table></div>`;
}

/** Whether a version has stayed for a while. The effect is kept until the next version, and sees nothing of the values. @param {string | number} version */
function useSettled(version) {
  const [shown, setShown] = useState(/** @type {string | number | null} */ (null));
  useEffect(() => {
    const timer = setTimeout(() => setShown(version), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [version]);
  return shown === version;
}
