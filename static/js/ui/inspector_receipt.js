import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { cellName, ravel } from "../views/parts/geometry.js";
import { cellOf, hotTerms, termPerRole } from "../views/parts/links.js";
import { fixed, full, scientific } from "../views/parts/numbers.js";
import { channelName, shapeOf, termsPerChannel } from "../views/parts/source.js";

/** @typedef {import("../types.d.ts").StageProps} StageProps */

/** Rows of products on one page. */
const PAGE = 36;
/** Decimals of a receipt: every row is rounded to these, and the rounding row closes what that leaves open. */
const DECIMALS = 4;

/** Whole-number receipts need no decimals. @param {StageProps} p */
function decimalsOf({ step }) {
  const whole = step.terms.every((v) => Number.isInteger(v) || !Number.isFinite(v)) && Number.isInteger(step.result) && Object.values(step.addends).every(({ value }) => Number.isInteger(value[0]));
  return whole ? 0 : DECIMALS;
}

/** Operands, products, partial sums, bias, result and residual of one step. @param {{p: StageProps}} props */
export function ReceiptTab({ p }) {
  const { block, step, t } = p;
  const [page, setPage] = useState(0);
  const many = step.terms.length;
  const pages = Math.ceil(many / PAGE);
  const now = Math.min(page, pages - 1);
  const terms = order(p).slice(now * PAGE, (now + 1) * PAGE);
  return html`<div class="receipt">
    <p class="receipt-name">${cellName(block.writes, ravel(p.cell, block.shape), block.shape)}</p>
    <table class="rc terms-table" onPointerLeave=${() => p.setHover(null)}>
      <thead><tr>${termPerRole(step) ? html`<th>${t("stage.input")}</th>` : block.roles.map((role) => html`<th>${role.tensor}</th>`)}<th>${t(block.roles.length > 1 && block.combine === "sum" && !termPerRole(step) ? "receipt.product" : "receipt.term")}</th></tr></thead>
      <tbody>${terms.map((i) => html`<${TermRow} key=${i} p=${p} i=${i} hot=${hotTerms(step, p.hover).has(i)} />`)}</tbody>
    </table>
    ${pages > 1 && html`<div class="pager">
      <button type="button" class="btn" aria-disabled=${now === 0} onClick=${() => setPage(Math.max(0, now - 1))} aria-label=${t("receipt.previous")}>‹</button>
      <span>${t("receipt.page", { a: now * PAGE + 1, b: Math.min(many, (now + 1) * PAGE), n: many })}</span>
      <button type="button" class="btn" aria-disabled=${now === pages - 1} onClick=${() => setPage(Math.min(pages - 1, now + 1))} aria-label=${t("receipt.next")}>›</button>
    </div>`}
    <${Totals} p=${p} />
    <${Check} p=${p} />
  </div>`;
}

/** As computed; when the engine sent only the largest terms, by size. @param {StageProps} p */
function order({ step, block }) {
  const all = Array.from(step.terms, (_, i) => i);
  return block.kind === "dense" ? all.sort((a, b) => Math.abs(step.terms[b]) - Math.abs(step.terms[a])) : all;
}

/** One term: what was read from where, and what it gave. @param {{p: StageProps, i: number, hot: boolean}} props */
function TermRow({ p, i, hot }) {
  const { block, step, t } = p;
  const apart = termPerRole(step);
  const read = (apart ? [block.roles[i]] : block.roles).map((role) => {
    const { index, value } = step.roles[role.name];
    const k = index.length === 1 ? 0 : i;
    return { role, index: index[k], value: value[k] };
  });
  const [first] = read;
  const place = { tensor: first.role.tensor, cell: first.index, term: i };
  return html`<tr class=${`${hot ? "hot" : ""} ${first.index < 0 ? "pad" : ""}`} onPointerEnter=${() => p.setHover(place)} onClick=${() => p.pin(place)}>
    ${read.map(({ role, index, value }) => html`<td class=${`acc-${role.accent}`} title=${`${index >= 0 ? cellName(role.tensor, index, shapeOf(p, role.tensor)) : t("stage.padding_cell")} = ${full(value)}`}>
      <small>${index >= 0 ? cellName(apart ? role.tensor : "", index, shapeOf(p, role.tensor)) : t(index === -1 ? "receipt.padding" : "receipt.none")}</small> ${fixed(value, decimalsOf(p))}</td>`)}
    <td>${fixed(step.terms[i], decimalsOf(p))}</td></tr>`;
}

/** The rows that are added up, as (label, value, accent). @param {StageProps} p */
function rowsOf(p) {
  const { block, step, t } = p;
  const rows = [];
  if (step.partial && step.partial.length > 1) {
    const x = block.roles[0];
    // the first input channel of the group: partial sums count from there
    const per = termsPerChannel(block);
    const ofSamples = block.partial?.[0] === "n";
    const first = block.kind === "conv2d" && !ofSamples ? groupStart(p, per) : 0;
    step.partial.forEach((v, c) => rows.push({ label: `Σ ${ofSamples ? t("back.sample", { n: c }) : channelName(p, x.tensor, first + c)}`, value: v, accent: block.phase === "forward" ? "value" : "grad", key: `c${c}` }));
  } else if (block.combine === "sum") {
    let sum = step.rest || 0;
    for (const v of step.terms) sum += v;
    rows.push({ label: t("receipt.sum_terms", { n: block.term_shape.reduce((n, [, extent]) => n * extent, 1) }), value: sum, accent: "value", key: "sum" });
  } else {
    rows.push({ label: t(`stage.combine_${block.combine}`), value: step.combined, accent: "value", key: "combined" });
  }
  for (const addend of block.addends) {
    const { index, value } = step.addends[addend.name];
    rows.push({ label: cellName(addend.tensor, index[0], shapeOf(p, addend.tensor)), value: value[0], accent: addend.accent, key: addend.name, tensor: addend.tensor, cell: index[0] });
  }
  return rows;
}

/** @param {StageProps} p @param {number} per */
function groupStart({ block, node, cell }, per) {
  const groups = Number(node.config.groups ?? 1);
  return per && groups > 1 ? Math.floor(cell[1] / (block.shape[1] / groups)) * (block.term_shape[0]?.[1] ?? 1) : 0;
}

/** Partial sums, bias, rounding, result. @param {{p: StageProps}} props */
export function Totals({ p }) {
  const { block, step, t } = p;
  const decimals = decimalsOf(p);
  const rows = rowsOf(p);
  const round = (/** @type {number} */ v) => Number(v.toFixed(decimals));
  const shown = rows.reduce((sum, row) => sum + round(row.value), 0);
  const gap = Number.isFinite(step.result) ? round(round(step.result) - shown) : 0;
  const closing = rows.length > 1 && Math.abs(gap) > 10 ** -(decimals + 3);
  return html`<table class="rc totals" onPointerLeave=${() => p.setHover(null)}>
    <tbody>
      ${rows.length <= 12 ? rows.map((row) => html`<${TotalRow} key=${row.key} p=${p} row=${row} decimals=${decimals} />`)
        : html`<tr><td>${t("receipt.sum_channels", { n: rows.length - block.addends.length })}</td><td>${fixed(rows.filter((row) => row.key[0] === "c").reduce((s, row) => s + row.value, 0), decimals)}</td></tr>
          ${rows.filter((row) => row.tensor).map((row) => html`<${TotalRow} key=${row.key} p=${p} row=${row} decimals=${decimals} />`)}`}
      ${closing && rows.length <= 12 && html`<tr class="rounding"><td>${t("receipt.rounding")}</td><td>${fixed(gap, decimals)}</td></tr>`}
      <tr class="t"><td>${cellName(block.writes, ravel(p.cell, block.shape), block.shape)}</td>
        <td data-testid="receipt-result" title=${full(step.result)}>${fixed(step.result, decimals)}</td></tr>
    </tbody>
  </table>`;
}

/** @param {any} props */
function TotalRow({ p, row, decimals }) {
  const hot = row.tensor && cellOf(p.hover, row.tensor) === row.cell;
  return html`<tr class=${hot ? "hot" : ""} onPointerEnter=${() => row.tensor && p.setHover({ tensor: row.tensor, cell: row.cell })}>
    <td class=${`acc-${row.accent}`}>${row.label}</td><td title=${full(row.value)}>${fixed(row.value, decimals)}</td></tr>`;
}

/** Does the receipt give the stored value? The engine's own difference, in float64. @param {{p: StageProps}} props */
export function Check({ p }) {
  const { step, t } = p;
  const size = Math.abs(step.residual);
  let scale = Math.abs(step.rest || 0);
  for (const v of step.terms) scale += Math.abs(v) || 0;
  const fine = !(size > 1e-6 * Math.max(scale, 1e-12) + 1e-30);
  return html`<p class=${`check ${fine ? "ok" : "off"}`}>
    ${t(fine ? "receipt.agrees" : "receipt.differs")} <span>(${t("receipt.residual")} <span data-testid="receipt-residual" class="num">${size === 0 ? "0" : scientific(step.residual, 1)}</span>)</span></p>`;
}
