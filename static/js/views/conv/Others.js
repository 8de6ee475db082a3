import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { mid } from "../parts/numbers.js";
import { channelName } from "../parts/source.js";

/** Height of a line. */
const LINE = 28;

/**
 * The channels that are not open, one line each: name, a bar for the partial sum, its number. Only the visible lines exist.
 * @param {{p: import("../../types.d.ts").StageProps, geo: import("./geometry.js").ConvGeometry, channels: number[], height: number, columns: number,
 *   open: (channel: number) => void}} props open: shows a channel in full
 */
export function Others({ p, geo, channels, height, columns, open }) {
  const [top, setTop] = useState(0);
  const partial = p.step.partial ?? new Float64Array(geo.channels);
  let largest = 1e-12;
  for (const v of partial) largest = Math.max(largest, Math.abs(v));
  const lines = Math.ceil(channels.length / columns);
  const first = Math.floor(top / LINE);
  const last = Math.min(lines, first + Math.ceil(height / LINE) + 1);
  const shown = channels.slice(first * columns, last * columns);
  return html`<div class="others" style=${{ maxHeight: `${height}px` }} tabindex=${lines * LINE > height ? 0 : undefined}
    onScroll=${(/** @type {Event} */ e) => setTop(/** @type {HTMLElement} */ (e.currentTarget).scrollTop)}>
    <div style=${{ height: `${lines * LINE}px`, paddingTop: `${first * LINE}px` }}>
      <div class="lines" style=${{ gridTemplateColumns: `repeat(${columns}, 1fr)` }}>
        ${shown.map((c) => {
          const share = Math.abs(partial[c]) / largest;
          return html`<button type="button" class="other" key=${c} title=${p.t("stage.open_channel")} onClick=${() => open(c)}>
            <span>${channelName(p, geo.x.tensor, geo.first + c)}</span>
            <i class=${partial[c] < 0 ? "neg" : ""}><u style=${{ width: `${100 * share}%` }}></u></i>
            <b>${mid(partial[c])}</b></button>`;
        })}
      </div>
    </div>
  </div>`;
}
