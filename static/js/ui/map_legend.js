/** What the colours of the maps stand for, in numbers: under every node, or once for the whole network. */
import { html } from "htm/preact";
import { gradientStops } from "../draw/palette.js";
import { short, tiny } from "./numbers.js";
import { hoverMap } from "./panel.js";
import { backwards, opened, scaleMode, t, theme } from "../state.js";
import { absmax as absmaxOf } from "./stage_props.js";

/** @param {number} absmax @param {import("../types.d.ts").Accent} [accent] */
function ramp(absmax, accent = "value") {
  const style = { background: `linear-gradient(90deg, ${gradientStops(accent, theme.value)})` };
  return html`<span class="ramp" style=${style}></span><span>±${accent === "grad" ? tiny(absmax) : short(absmax)}</span>`;
}

/** Per layer, or of one map when each has a scale of its own: the one under the pointer, else the open one.
 * @param {{node: import("../types.d.ts").NodeInfo, name: string, channel: number}} props name: of the tensor */
export function NodeLegend({ node, name, channel }) {
  const own = scaleMode.value === "map" && node.shape.length === 4;
  const over = hoverMap.value?.node === node.name ? hoverMap.value.channel : channel;
  return html`<p class="map-legend" data-testid=${`legend-${name === node.out ? "" : "grad-"}${node.name}`}>${ramp(absmaxOf(name, own ? over : 0), name === node.out ? "value" : "grad")}
    ${own && html`<span class="which">${t.value("map.legend.map", { channel: over })}</span>`}</p>`;
}

/** One scale for everything on the map. */
export function NetworkLegend() {
  const out = opened.value?.nodes[0]?.out ?? "input";
  return html`<p class="map-legend all" data-testid="legend-network">${ramp(absmaxOf(out, 0))}${backwards.value && ramp(absmaxOf(`${out}.grad`, 0), "grad")}<span>${t.value("map.legend.network")}</span></p>`;
}
