/** Where numbers stop being finite: said once on the map, with the way to the step that made the first of them. */
import { html } from "htm/preact";
import { jumpTo } from "../actions.js";
import { ravel } from "../lib/cells.js";
import { t } from "../state.js";

/**
 * The tensor that has the first NaN or infinity, in the order of the steps.
 * @param {import("../types.d.ts").Opened | null} trace @returns {{name: string, shape: number[], cell: number[]} | null}
 */
export function firstBad(trace) {
  const bad = new Map(trace?.tensors.filter(({ first_bad }) => first_bad).map((info) => [info.name, info]));
  if (!trace || !bad.size) return null;
  const info = bad.get(trace.blocks.find(({ writes }) => bad.has(writes))?.writes ?? "");
  return info?.first_bad ? { name: info.name, shape: info.shape, cell: info.first_bad } : null;
}

/** @param {{bad: NonNullable<ReturnType<typeof firstBad>>}} props */
export function BadNotice({ bad }) {
  const place = `${bad.name}[${bad.cell.join(", ")}]`;
  return html`<p class="bad-notice" role="status"><b>${t.value("map.bad", { place })}</b>
    <button type="button" class="btn" data-testid="first-bad" onClick=${() => void jumpTo(bad.name, ravel(bad.cell, bad.shape))}>${t.value("map.bad.how")}</button></p>`;
}

/** The place of the cell on its thumbnail. @param {{bad: NonNullable<ReturnType<typeof firstBad>>}} props */
export function BadCell({ bad }) {
  const [rows, cols] = bad.shape.slice(-2);
  const [y, x] = bad.cell.slice(-2);
  return html`<span class="bad-cell" style=${{ left: `${((100 * (x + 0.5)) / cols).toFixed(1)}%`, top: `${((100 * (y + 0.5)) / rows).toFixed(1)}%` }}></span>`;
}
