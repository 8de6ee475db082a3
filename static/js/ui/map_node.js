/** One node of the network map: its name, kind, shape and parameters, its maps or bars, and the legend of their colours. */
import { useComputed } from "@preact/signals";
import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { channelOf } from "../lib/phases.js";
import { groups } from "./numbers.js";
import { cursor, focus, mapData, opened, scaleMode, t } from "../state.js";
import { NodeLegend } from "./map_legend.js";
import { Thumb } from "./map_thumb.js";
import { Vector } from "./map_vector.js";

/** @typedef {import("../types.d.ts").NodeInfo} NodeInfo */

/** Maps shown at once; the rest is a page away. */
const PAGE = 16;

/** How many maps of a node are written by the steps up to the cursor: a number, so that a step inside a map draws nothing anew.
 * @param {string} name @param {number} channels */
function writtenMaps(name, channels) {
  const blocks = opened.value?.blocks.filter(({ node, phase }) => node === name && phase === "forward") ?? [];
  const step = cursor.value;
  if (!blocks.length || !focus.value || step >= blocks[blocks.length - 1].stop) return channels;
  if (step < blocks[0].start) return 0;
  const last = blocks[blocks.length - 1];
  return Math.min(channels, 1 + Math.floor((Math.max(0, step - last.start) * channels) / (last.stop - last.start)));
}

/** @param {{node: NodeInfo}} props */
export function MapNode({ node }) {
  const channels = node.shape.length === 4 ? node.shape[1] : 1;
  const written = useComputed(() => writtenMaps(node.name, channels)).value;
  return html`<section class=${`node ${written ? "" : "dim"}`} data-node=${node.name} data-testid=${`node-${node.name}`}>
    <${NodeTitle} node=${node} />
    ${node.shape.length === 4 ? html`<${Maps} node=${node} channels=${channels} written=${written} />` : html`<${Vector} node=${node} />`}
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

/** @param {{node: NodeInfo, channels: number, written: number}} props */
function Maps({ node, channels, written }) {
  const at = channelOf(focus.value, node.name);
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
  return html`<div class="maps" data-maps style=${{ gridTemplateRows: `repeat(${rows}, auto)`, "--w": `calc(var(--thumb) * ${scale})` }}>
      ${shown.map((channel) => html`<${Thumb} key=${channel} node=${node.name} name=${node.out} view=${view} channel=${channel}
        shape=${node.shape} selected=${at === channel} dim=${channel >= written} />`)}
    </div>
    <div class="foot" data-foot>
      ${pages > 1 && html`<${More} node=${node.name} page=${page} pages=${pages} channels=${channels} onTurn=${setTurned} />`}
      ${scaleMode.value !== "network" && html`<${NodeLegend} node=${node} channel=${at ?? from} />`}
    </div>`;
}

/** "+48": turns to the next sixteen maps. @param {{node: string, page: number, pages: number, channels: number, onTurn: (page: number) => void}} props */
function More({ node, page, pages, channels, onTurn }) {
  const next = (page + 1) % pages;
  const label = t.value("map.more", { from: next * PAGE, to: Math.min(channels, (next + 1) * PAGE) - 1, node });
  return html`<button type="button" class="more" title=${label} aria-label=${label} data-testid=${`more-${node}`} onClick=${() => onTurn(next)}>
    ${page === 0 ? `+${channels - PAGE}` : `${page * PAGE}–${Math.min(channels, (page + 1) * PAGE) - 1}`}</button>`;
}
