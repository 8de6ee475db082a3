/** The chain-rule trail: the strongest path from the loss to a cell as a row of factors, and the sums over all paths, layer by layer. */
import { html } from "htm/preact";
import { jumpTo } from "../actions.js";
import { ravel } from "../lib/cells.js";
import { cellName } from "../views/parts/geometry.js";
import { full, mid } from "../views/parts/numbers.js";
import { groups } from "./numbers.js";

/** @typedef {import("../types.d.ts").StageProps} StageProps */
/** @typedef {{tensor: string, cell: number[], step: number, value: number, label: string, factor: number, of: number, share: number}} Link */
/** @typedef {{cell: number[], step: number, gradient: number, derivative: number, contribution: number}} Contributor */
/** @typedef {{node: string, tensor: string, sum: number, count: number, cut: boolean, residual: number | null, top: Contributor[]}} Layer */

/** @param {{p: StageProps, trail: {tensor: string, total: number, penalty: number, path: number, complete: boolean, links: Link[], layers: Layer[]}}} props */
export function Trail({ p, trail }) {
  const { t } = p;
  return html`<section class="trail" data-testid="trail">
    <h3>${t("chain.path")}</h3>
    ${trail.complete ? html`<ol class="factors">${trail.links.map((link, i) => html`<${Factor} key=${link.tensor} p=${p} link=${link} first=${i === 0} />`)}</ol>
      <p class="product">${t("chain.product")} <b data-testid="trail-path" title=${full(trail.path)}>${mid(trail.path)}</b></p>
      <p class="faint">${t("chain.one_of")}</p>` : html`<p>${t("chain.no_path")}</p>`}
    ${trail.layers.length > 0 && html`<h3>${t("chain.layers")}</h3>
      <table class="rc"><thead><tr><th>${t("chain.through")}</th><th>${t("chain.cells")}</th><th>${t("chain.sum")}</th></tr></thead>
        <tbody>${trail.layers.toReversed().map((layer) => html`<${Row} key=${layer.node} p=${p} layer=${layer} />`)}
          ${trail.penalty !== 0 && html`<tr><td>${t("chain.penalty")}</td><td></td><td title=${full(trail.penalty)}>${mid(trail.penalty)}</td></tr>`}
          <tr class="t"><td colspan="2">${t("chain.total")}</td><td data-testid="trail-total" title=${full(trail.total)}>${mid(trail.total)}</td></tr></tbody></table>
      <p class="faint">${t("chain.layers_about")}</p>`}
  </section>`;
}

/** @param {StageProps} p @param {string} tensor @param {number[]} cell */
function named(p, tensor, cell) {
  const shape = p.opened.tensors.find(({ name }) => name === tensor)?.shape ?? [];
  return { name: cellName(tensor, ravel(cell, shape), shape), flat: ravel(cell, shape) };
}

/** @param {{p: StageProps, link: Link, first: boolean}} props */
function Factor({ p, link, first }) {
  const { name, flat } = named(p, link.tensor, link.cell);
  const about = link.of > 1 ? p.t("chain.of", { n: groups(link.of), share: Math.round(100 * Math.abs(link.share)) }) : "";
  return html`<li><button type="button" title=${p.t("chain.jump", { cell: name })} onClick=${() => void jumpTo(link.tensor, flat)}>
    <span class="by">${first ? "" : "× "}<b title=${full(link.factor)}>${mid(link.factor)}</b></span>
    <span class="to">${name} <small>= ${mid(link.value)}${about && ` · ${about}`}</small></span></button></li>`;
}

/** @param {{p: StageProps, layer: Layer}} props */
function Row({ p, layer }) {
  return html`<tr><td><details><summary>${layer.node}</summary>
      <ul class="tops">${layer.top.map((one) => {
        const { name, flat } = named(p, layer.tensor, one.cell);
        return html`<li key=${flat}><button type="button" title=${p.t("chain.jump", { cell: name })} onClick=${() => void jumpTo(layer.tensor, flat)}>
          ${name}: ${mid(one.gradient)} × ${mid(one.derivative)} = <b>${mid(one.contribution)}</b></button></li>`;
      })}</ul></details></td>
    <td>${groups(layer.count)}</td><td title=${full(layer.sum)}>${mid(layer.sum)}${layer.cut ? "" : html` <small title=${p.t("chain.not_cut")}>*</small>`}</td></tr>`;
}
