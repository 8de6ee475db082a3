import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";
import { explain as explainAny, View as Any } from "./generic.js";
import { cellName, ravel } from "./parts/geometry.js";
import { full, mid } from "./parts/numbers.js";

/** @typedef {import("../types.d.ts").StageProps} StageProps */
/** @typedef {import("../types.d.ts").Block} Block */

/** The optimiser's way from a weight's gradient to its new value, one line a step, all for the same weight. @param {StageProps} p */
export function View(p) {
  const { opened, t } = p;
  const param = paramOf(opened, p.block.writes);
  if (!param || p.block.shape.join() !== param.shape.join()) return html`<${Any} ...${p} />`; // clipping looks at all weights together
  const flat = ravel(p.cell, p.block.shape);
  const blocks = opened.blocks.filter(({ phase, writes }) => phase === "update" && paramOf(opened, writes)?.name === param.name && !writes.endsWith(".square_sum"));
  const penalty = opened.blocks.find(({ writes, kind }) => writes === `${param.name}.grad` && kind === "penalty");
  const place = cellName(param.name, flat, param.shape);
  const { iteration } = opened.scenario;
  const value = (/** @type {string} */ name) => p.tensor(name)?.data[flat];
  const [w, next] = [value(param.name), value(`${param.name}.next`)];
  const done = p.block.writes.endsWith(".next");
  return html`<div class="update-view">
    <p class="update-head"><b>${place}</b> <span class="chip w" title=${full(w ?? NaN)} data-testid="update-weight">w = ${mid(w ?? NaN)}</span>
      ${done && html`<span class="op">→</span><span class="chip w" title=${full(next ?? NaN)}>w′ = ${mid(next ?? NaN)}</span>`}
      <span class="chip">${t("update.iteration", { n: Number(iteration ?? 0) })}</span></p>
    <${Lines} p=${p} blocks=${[...(penalty ? [penalty] : []), ...blocks]} flat=${flat} />
    ${p.iterations > 0 && html`<${History} p=${p} tensor=${param.name} cell=${p.cell} />`}
  </div>`;
}

/** Width and height of a small curve, px. */
const [WIDE, HIGH] = [150, 44];

/** Small curves of w, g and the optimiser's states over the iterations of the loop. @param {{p: StageProps, tensor: string, cell: number[]}} props */
function History({ p, tensor, cell }) {
  const [series, setSeries] = useState(/** @type {Record<string, (number | null)[]> | null} */ (null));
  useEffect(() => {
    let wanted = true;
    void p.history(tensor, cell).then((found) => { if (wanted) setSeries(found); });
    return () => { wanted = false; };
  }, [tensor, cell.join(), p.iterations, p.opened.trace]);
  if (!series) return null;
  const curves = Object.entries(series).filter(([name, values]) => Array.isArray(values) && !["tensor", "cell"].includes(name));
  return html`<div class="histories">${curves.map(([name, values]) => html`<figure key=${name} data-testid=${`history-${name}`} data-values=${JSON.stringify(values)}>
    <figcaption>${name} <b>${mid(values[values.length - 1] ?? NaN)}</b></figcaption>
    <svg width=${WIDE} height=${HIGH} role="img" aria-label=${p.t("update.history", { name, n: values.length })}><path d=${pathOf(values)} class=${name === "w" ? "w" : "g"} /></svg></figure>`)}</div>`;
}

/** @param {(number | null)[]} values oldest first */
function pathOf(values) {
  const there = values.map((v) => v ?? NaN).filter(Number.isFinite);
  const [low, high] = [Math.min(...there), Math.max(...there)];
  const y = (/** @type {number} */ v) => (high > low ? HIGH - 4 - ((v - low) / (high - low)) * (HIGH - 8) : HIGH / 2);
  return values.map((v, i) => (v === null ? "" : `${i === 0 ? "M" : "L"}${(3 + (i * (WIDE - 6)) / Math.max(1, values.length - 1)).toFixed(1)} ${y(v).toFixed(1)}`)).join("");
}

/** @param {{p: StageProps, blocks: Block[], flat: number}} props */
function Lines({ p, blocks, flat }) {
  return html`<table class="update-lines"><tbody>${blocks.map((block) => {
    const on = block.writes === p.block.writes;
    const written = block.start + flat <= p.step.index;
    const result = written ? p.tensor(block.writes)?.data[flat] : undefined;
    const suffix = suffixOf(p.opened, block.writes);
    return html`<tr key=${block.writes} class=${on ? "now" : written ? "" : "open"}>
      <th scope="row">${p.t(`update.line.${suffix.replaceAll(".", "_")}`)}<small>${block.writes}</small></th>
      <td class="formula">${p.formula(block.formula)}</td>
      <td class="reads">${block.roles.map((role) => html`<${Read} key=${role.name} p=${p} role=${role} flat=${flat} />`)}</td>
      <td><button type="button" class=${`term ${suffix === "next" ? "w" : "g"}`} data-testid=${`update-${suffix}`} title=${result === undefined ? block.writes : full(result)}
        onClick=${() => p.jump(block.writes, flat)}><b>${result === undefined ? "·" : mid(result)}</b></button></td></tr>`;
  })}</tbody></table>`;
}

/** One number that a line reads, with the letter that its formula has for it. @param {{p: StageProps, role: import("../types.d.ts").Role, flat: number}} props */
function Read({ p, role, flat }) {
  const view = p.tensor(role.tensor);
  const at = view && view.data.length === 1 ? 0 : flat;
  const value = view?.data[at];
  const place = cellName(role.tensor, at, view?.shape ?? [1]);
  return html`<button type="button" class=${`term ${role.accent[0] === "w" ? "w" : role.accent[0] === "g" ? "g" : "v"}`} title=${value === undefined ? place : `${place} = ${full(value)}`}
    onPointerEnter=${() => p.setHover({ tensor: role.tensor, cell: at })} onPointerLeave=${() => p.setHover(null)} onClick=${() => p.jump(role.tensor, at)}>
    <b>${value === undefined ? "…" : mid(value)}</b><small>${role.name}</small></button>`;
}

/** The parameter that a tensor of the update belongs to. @param {StageProps["opened"]} opened @param {string} tensor */
function paramOf(opened, tensor) {
  return opened.nodes.flatMap(({ params }) => params).find(({ name }) => tensor.startsWith(`${name}.`));
}

/** What of the parameter it is: `exp_avg`, `step`, `next` … @param {StageProps["opened"]} opened @param {string} tensor */
function suffixOf(opened, tensor) {
  return tensor.slice((paramOf(opened, tensor)?.name.length ?? -1) + 1);
}

/** @param {StageProps} p @returns {{key: string, args: Record<string, string | number>}[]} */
export function explain(p) {
  const { block } = p;
  const param = paramOf(p.opened, block.writes);
  if (!param || block.shape.join() !== param.shape.join()) return explainAny(p);
  const args = { place: cellName(param.name, ravel(p.cell, block.shape), param.shape), result: mid(p.step.result) };
  const what = ["next", "step"].find((end) => block.writes.endsWith(`.${end}`)) ?? (block.writes.endsWith(".hat") ? "hat" : block.writes.endsWith(".grad.total") ? "total" : "state");
  return [{ key: `explain.update.${what}`, args }, { key: `explain.update.${what}_note`, args }];
}
