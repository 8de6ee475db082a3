/** The fourth tab, for traces with a loss: how the gradient of one cell came down from the loss, and whether it is right. */
import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";
import { ravel, unravel } from "../lib/cells.js";
import * as state from "../state.js";
import { StreamError } from "../stream.js";
import { ask } from "../tensors.js";
import { cellName } from "../views/parts/geometry.js";
import { errorText } from "../errors.js";
import { Nudge } from "./chain_nudge.js";
import { Trail } from "./chain_trail.js";

/** @typedef {import("../types.d.ts").StageProps} StageProps */
/** @typedef {{tensor: string, cell: number[], movable: boolean}} Chosen */

/** A pause before the server is asked: the cursor may be on its way. */
const SETTLE_MS = 200;

/**
 * The cell that is meant: the pinned one, else the one whose gradient or update the step writes, else what weighs most in the step.
 * @param {StageProps} p @returns {Chosen | null}
 */
export function chosenCell({ opened, block, step }) {
  const pinned = state.pinned.value;
  const movable = new Map(opened.tensors.filter(({ source }) => source === "param" || source === "input").map(({ name, shape }) => [name, shape]));
  const at = (/** @type {string} */ tensor, /** @type {number} */ flat) => {
    const shape = movable.get(tensor) ?? opened.nodes.find(({ out }) => out === tensor)?.shape;
    return shape && flat >= 0 && differentiated(opened, tensor) ? { tensor, cell: unravel(flat, shape), movable: movable.has(tensor) } : null;
  };
  const fixed = pinned && pinned.cell !== null ? at(pinned.tensor, pinned.cell) : null;
  if (fixed || !block || !step) return fixed;
  const flat = ravel(step.cell, block.shape);
  const owner = [...movable.keys(), ...opened.nodes.map(({ out }) => out)].find((name) => block.writes.startsWith(`${name}.`));
  if (owner && block.phase !== "forward") return at(owner, flat);
  if (block.phase === "forward") return at(block.writes, flat);
  return heaviest(step).map(([tensor, index]) => at(tensor, index)).find((found) => found !== null) ?? null;
}

/** What the largest term of a step read. @param {import("../types.d.ts").StepView} step @returns {[string, number][]} */
function heaviest({ block, roles, terms }) {
  let most = 0;
  terms.forEach((term, i) => { if (Math.abs(term) > Math.abs(terms[most])) most = i; });
  return block.roles.map(({ name, tensor }) => [tensor, roles[name].index[Math.min(most, roles[name].index.length - 1)] ?? -1]);
}

/** Whether the trace has the gradient of a tensor. @param {import("../types.d.ts").Opened} opened @param {string} tensor */
function differentiated(opened, tensor) {
  return opened.tensors.some(({ name }) => name === `${tensor}.grad`);
}

/**
 * The newest answer about a cell; the one before stays until it comes.
 * @param {Record<string, unknown> | null} message @returns {{answer: any, error: string}}
 */
export function useAnswer(message) {
  const [found, setFound] = useState({ answer: /** @type {any} */ (null), error: "" });
  const trace = state.opened.value;
  const key = message && trace ? `${trace.trace} ${JSON.stringify(message)}` : "";
  const busy = state.playing.value;
  useEffect(() => {
    if (!trace || !message || busy) return undefined;
    let wanted = true;
    const timer = setTimeout(async () => {
      try {
        const answer = await ask(trace, message);
        if (wanted) setFound({ answer, error: "" });
      } catch (error) {
        if (wanted) setFound({ answer: null, error: error instanceof StreamError ? errorText(error) : String(error) });
      }
    }, SETTLE_MS);
    return () => { wanted = false; clearTimeout(timer); };
  }, [key, busy]);
  return found;
}

/** @param {{p: StageProps}} props */
export function ChainTab({ p }) {
  const { t } = p;
  const at = chosenCell(p);
  const message = at && { type: "trail", tensor: at.tensor, cell: at.cell };
  const { answer, error } = useAnswer(message);
  if (!at) return html`<p class="quiet">${t("chain.choose")}</p>`;
  const shape = p.opened.tensors.find(({ name }) => name === at.tensor)?.shape ?? [];
  const same = answer && answer.tensor === at.tensor && String(answer.cell) === String(at.cell);
  return html`<div class="chain" data-testid="chain">
    <p class="chain-cell"><b>${cellName(at.tensor, ravel(at.cell, shape), shape)}</b> <small>${t("chain.pin")}</small></p>
    ${error && html`<p class="check off">${error}</p>`}
    ${same && html`<${Trail} p=${p} trail=${answer} />`}
    ${at.movable && html`<${Nudge} p=${p} at=${at} />`}
  </div>`;
}
