import { html } from "htm/preact";
import { gradientStops } from "../../draw/palette.js";
import { mid } from "./numbers.js";

/**
 * The colour scale of a map, with its ends in numbers and what it is shared by.
 * @param {{accent: import("../../draw/palette.js").Accent, absmax: number, theme: import("../../draw/palette.js").Theme, scope: string, w: number,
 *   t: (key: string, args?: Record<string, any>) => string}} props scope: "map" | "layer" | "network"
 */
export function Legend({ accent, absmax, theme, scope, w, t }) {
  const ends = accent === "grey" ? [mid(0), mid(1)] : [mid(-absmax), mid(absmax)];
  return html`<div class="legend" style=${{ width: `${Math.max(130, w)}px` }}>
    <span>${ends[0]}</span><i style=${{ background: `linear-gradient(90deg,${gradientStops(accent, theme)})` }}></i><span>${ends[1]}</span>
    ${scope && html`<span class="scope">${t(`stage.scale_${scope}`)}</span>`}
  </div>`;
}
