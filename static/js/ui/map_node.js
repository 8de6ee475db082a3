/** One node of the network map: its name, kind, shape and parameters, its maps or bars, and the legend of their colours. */
import { useComputed } from "@preact/signals";
import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { blockAt, unravel } from "../lib/cells.js";
import { channelOf } from "../lib/phases.js";
import { groups } from "./numbers.js";
import { backwards, cursor, focus, gradMaps, mapData, opened, scaleMode, t } from "../state.js";
import { backParts } from "./late.js";
import { BadCell, firstBad } from "./map_bad.js";
import { NodeLegend } from "./map_legend.js";
import { Thumb } from "./map_thumb.js";
import { MOST_BARS, Vector } from "./map_vector.js";

/** @typedef {import("../types.d.ts").NodeInfo} NodeInfo */
/** @typedef {{name: string, born: number, at: number | null}} Gradient of the node's output: its tensor, how many of its maps are written, which one is open */

/** Maps shown at once; the rest is a page away. */
const PAGE = 16;

/** How many maps are written by the steps up to the cursor: a number, so that a step inside a map draws nothing anew.
 * @param {import("../types.d.ts").Block[]} blocks of what is counted @param {number} channels */
function writtenMaps(blocks, channels) {
  const step = cursor.value;
  if (!blocks.length || !focus.value || step >= blocks[blocks.length - 1].stop) return channels;
  if (step < blocks[0].start) return 0;
  const last = blocks[blocks.length - 1];
  return Math.min(channels, 1 + Math.floor((Math.max(0, step - last.start) * channels) / (last.stop - last.start)));
}

/** The map of a gradient that the step at the cursor writes into; null for another tensor's step. @param {string} name @returns {number | null} */
function openGradientMap(name) {
  const blocks = opened.value?.blocks ?? [];
  const block = blocks[blockAt(blocks, cursor.value)];
  return focus.value && block?.writes === name ? unravel(cursor.value - block.start, block.shape)[1] ?? 0 : null;
}

/** The state of a gradient while the map shows gradients; null when it does not, or when there is none.
 * @param {string} name of its tensor @param {number} channels @returns {Gradient | null} */
export function useGradient(name, channels) {
  const born = useComputed(() => writtenMaps(opened.value?.blocks.filter(({ writes }) => writes === name) ?? [], channels)).value;
  const at = useComputed(() => openGradientMap(name)).value;
  return backwards.value && opened.value?.tensors.some((info) => info.name === name) ? { name, born, at } : null;
}

/** @param {{node: NodeInfo}} props */
export function MapNode({ node }) {
  const channels = node.shape.length === 4 ? node.shape[1] : 1;
  const written = useComputed(() => writtenMaps(opened.value?.blocks.filter((one) => one.node === node.name && one.phase === "forward") ?? [], channels)).value;
  const Back = backwards.value ? backParts.value : null;
  const grad = useGradient(`${node.out}.grad`, channels);
  const legend = scaleMode.value !== "network";
  return html`<section class=${`node ${written ? "" : "dim"}`} data-node=${node.name} data-testid=${`node-${node.name}`}>
    <${NodeTitle} node=${node} />
    ${Back && grad && html`<${Back.Kernels} node=${node} />`}
    ${node.shape.length === 4 ? html`<${Maps} node=${node} channels=${channels} written=${written} grad=${grad} />` : html`<${Vector} node=${node} />
      ${grad && html`<${Vector} node=${node} name=${grad.name} at=${grad.at} grad dim=${!grad.born} />`}
      <div class="foot" data-foot>${legend && node.shape[1] > MOST_BARS && html`<${NodeLegend} node=${node} name=${node.out} channel=${0} />`}</div>`}
    ${Back && grad && html`<${Back.Norms} node=${node} born=${grad.born > 0} />`}
  </section>`;
}

/** @param {{node: NodeInfo}} props */
function NodeTitle({ node }) {
  const tr = t.value;
  const kind = tr(`kind.${node.kind}`);
  const shape = node.shape.slice(1).join(" × ");
  // the first count says what it counts; the others are read by its example
  const said = opened.value?.nodes.find(({ n_params }) => n_params > 0) !== node;
  return html`<h3>${node.name} ${kind.toLowerCase() !== node.name && html`<small>${kind}</small>`}</h3>
    <p class="sh" title=${node.n_params ? tr("map.params", { n: groups(node.n_params) }) : undefined}>${shape}${node.n_params > 0 && html`<span class="dot"> · </span><span class="count">${said
      ? html`${groups(node.n_params)}<span class="vh">${tr("map.params.word")}</span>` : tr("map.params", { n: groups(node.n_params) })}</span>`}</p>`;
}

/** Rows, and the size of a map in thumbnails, by how many there are: few maps are drawn larger. @param {number} count */
function arrangement(count) {
  if (count === 1) return { rows: 1, scale: 2.2 };
  if (count === 2) return { rows: 2, scale: 2 };
  if (count <= 4) return { rows: 2, scale: 1.9 };
  if (count <= 6) return { rows: 3, scale: 1.35 };
  return { rows: 4, scale: 1 };
}

/** @param {{node: NodeInfo, channels: number, written: number, grad: Gradient | null}} props */
function Maps({ node, channels, written, grad }) {
  const open = channelOf(focus.value, node.name);
  const at = open ?? grad?.at ?? null;
  const [turned, setTurned] = useState(0);
  const [seen, setSeen] = useState(at);
  const pages = Math.ceil(channels / PAGE);
  if (at !== seen) { // opening a map from elsewhere turns to its page
    setSeen(at);
    if (at !== null) setTurned(Math.floor(at / PAGE));
  }
  const page = Math.min(turned, pages - 1);
  const from = page * PAGE;
  const shown = Array.from({ length: Math.min(PAGE, channels - from) }, (_, i) => from + i);
  const { rows, scale } = arrangement(Math.min(channels, PAGE));
  const view = mapData.value.get(node.out);
  const bad = firstBad(opened.value);
  const marked = (/** @type {string} */ name, /** @type {number} */ channel) => (bad?.name === name && bad.cell[1] === channel ? html`<${BadCell} bad=${bad} />` : null);
  return html`<div class="maps" data-maps style=${{ gridTemplateRows: `repeat(${rows}, auto)`, "--w": `calc(var(--thumb) * ${scale})` }}>
      ${shown.map((channel) => {
        const value = html`<${Thumb} key=${channel} node=${node.name} name=${node.out} view=${view} channel=${channel} shape=${node.shape}
          selected=${open === channel} dim=${channel >= written}>${marked(node.out, channel)}<//>`;
        return !grad ? value : html`<div key=${channel} class="pair">${value}<${Thumb} node=${node.name} name=${grad.name} view=${gradMaps.value.get(grad.name)}
          channel=${channel} shape=${node.shape} selected=${grad.at === channel} dim=${channel >= grad.born} grad>${marked(grad.name, channel)}<//></div>`;
      })}
    </div>
    <div class="foot" data-foot>
      ${pages > 1 && html`<${More} node=${node.name} page=${page} pages=${pages} channels=${channels} onTurn=${setTurned} />`}
      ${scaleMode.value !== "network" && html`<${NodeLegend} node=${node} name=${node.out} channel=${open ?? from} />
        ${grad && html`<${NodeLegend} node=${node} name=${grad.name} channel=${grad.at ?? from} />`}`}
    </div>`;
}

/** "+48": turns to the next sixteen maps. @param {{node: string, page: number, pages: number, channels: number, onTurn: (page: number) => void}} props */
function More({ node, page, pages, channels, onTurn }) {
  const next = (page + 1) % pages;
  const label = t.value("map.more", { from: next * PAGE, to: Math.min(channels, (next + 1) * PAGE) - 1, node });
  return html`<button type="button" class="more" title=${label} aria-label=${label} data-testid=${`more-${node}`} onClick=${() => onTurn(next)}>
    ${page === 0 ? `+${channels - PAGE}` : `${page * PAGE}–${Math.min(channels, (page + 1) * PAGE) - 1}`}</button>`;
}
