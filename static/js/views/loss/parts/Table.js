import { html } from "htm/preact";
import { cellName, ravel } from "../../parts/geometry.js";
import { full, mid } from "../../parts/numbers.js";

/** @typedef {import("../../../types.d.ts").StageProps} StageProps */
/** @typedef {import("../../../types.d.ts").Block} Block */

/** Outputs that are shown as rows; of more, those that matter. */
const ROWS = 12;

/**
 * The stations of a loss as columns, its outputs as rows: what is not computed yet is left open, the cell of the step wears the ring.
 * @param {{p: StageProps}} props
 */
export function Table({ p }) {
  const columns = columnsOf(p);
  const prediction = columns[0];
  const features = prediction.shape[prediction.shape.length - 1];
  const cells = prediction.shape.reduce((a, b) => a * b, 1);
  const here = p.cell.length === prediction.shape.length ? ravel(p.cell, p.block.shape) : -1;
  const first = here < 0 ? (p.block.shape.length === 1 && p.block.shape[0] > 1 ? p.cell[0] : p.sample) * features : here - (here % features);
  const rows = rowsOf(p, columns, first, Math.min(features, cells), here);
  return html`<div class="loss-table"><table><thead><tr><th scope="col">${p.t("back.loss_output")}</th>${columns.map(({ name }) => html`
      <th key=${name} scope="col" class=${name === p.block.writes ? "now" : ""}>${short(name)}</th>`)}</tr></thead>
    <tbody>${rows.map((flat) => html`<tr key=${flat}><th scope="row">${flat - first}</th>${columns.map((column) => html`<${Cell} key=${column.name} p=${p} column=${column} flat=${flat} here=${here} bar=${/^loss\.(square|abs|cell)$/.test(column.name)} />`)}</tr>`)}</tbody></table>
    ${features > rows.length && html`<p class="note">${p.t("back.loss_more_outputs", { n: features - rows.length })}</p>`}</div>`;
}

/** The probabilities of cross-entropy: the loss's own, or those of a softmax at the end of the network. @param {StageProps["opened"]} opened */
export function softmaxOf(opened) {
  return opened.blocks.find(({ phase, node, kind }) => phase === "backward" && node === "loss" && kind === "cross_entropy")?.roles.find(({ name }) => name === "p")?.tensor;
}

/** What a column of the table shows. @typedef {{name: string, shape: number[], block: Block | undefined}} Station */

/** The prediction, the target where it has a number for each output, and every tensor of the loss of that shape. @param {StageProps} p @returns {Station[]} */
function columnsOf({ opened }) {
  const loss = opened.blocks.filter(({ phase }) => phase === "loss");
  const own = new Set(loss.map(({ writes }) => writes));
  const prediction = loss.flatMap(({ roles }) => roles).find(({ tensor }) => !own.has(tensor) && tensor !== "target")?.tensor ?? loss[0].writes;
  const shape = opened.tensors.find(({ name }) => name === prediction)?.shape ?? [];
  const same = opened.tensors.find(({ name }) => name === "target")?.shape.join() === shape.join();
  const softmax = softmaxOf(opened);
  return [prediction, ...(softmax && !own.has(softmax) ? [softmax] : []), ...(same ? ["target"] : []),
    ...loss.filter((block) => block.shape.join() === shape.join()).map(({ writes }) => writes)].map((name) => ({ name, shape, block: loss.find(({ writes }) => writes === name) }));
}

/** Rows to show: the output of the step, those with a target, then in order. @param {StageProps} p @param {Station[]} columns @param {number} first @param {number} count @param {number} here */
function rowsOf(p, columns, first, count, here) {
  const all = Array.from({ length: count }, (_, i) => first + i);
  if (count <= ROWS) return all;
  const truth = columns.map(({ name }) => name).find((name) => name === "loss.y" || name === "target");
  const wanted = truth ? p.tensor(truth)?.data : undefined;
  const weight = (/** @type {number} */ flat) => (flat === here ? 2 : wanted && Math.abs(wanted[flat]) > 0 ? 1 : 0);
  return all.sort((a, b) => weight(b) - weight(a) || a - b).slice(0, ROWS).sort((a, b) => a - b);
}

/** @param {{p: StageProps, column: Station, flat: number, here: number, bar: boolean}} props bar: what it adds to the loss, as a length */
function Cell({ p, column, flat, here, bar }) {
  const { block, name } = column;
  const written = !block || block.start + flat <= p.step.index;
  const value = p.tensor(name)?.data[flat];
  const on = name === p.block.writes && flat === here;
  if (!written || value === undefined) return html`<td class="open">·</td>`;
  const place = `${cellName(name, flat, column.shape)} = ${full(value)}`;
  const style = bar ? { "--share": `${((100 * Math.abs(value)) / p.absmax(name, 0)).toFixed(1)}%` } : {};
  return html`<td class=${`${on ? "now" : ""} ${bar ? "bar" : ""}`} style=${style}><button type="button" title=${place} aria-label=${place} onPointerEnter=${() => p.setHover({ tensor: name, cell: flat })}
    onPointerLeave=${() => p.setHover(null)} onClick=${() => p.jump(name, flat)}>${mid(value)}</button></td>`;
}

/** A name as a column has room for it. @param {string} name */
const short = (name) => name.replace(/^loss\.|\.out$/, "");
