/** Iteration after iteration on the same picture: the update's weights become the next forward phase's. */
import { openScenario, play } from "./actions.js";
import { errorText } from "./errors.js";
import { asked, loop, looping, notice, opened, pending } from "./state.js";
import { request } from "./stream.js";

/** @typedef {import("./types.d.ts").ScenarioDoc} ScenarioDoc */

/** Opens the next iteration at its first step. @returns {Promise<boolean>} whether it is on the screen now */
export async function nextIteration() {
  const trace = opened.peek();
  const from = asked.peek();
  if (!trace || !from || trace.target === undefined || pending.peek()) return false;
  const before = looping.peek();
  const answer = await request({ type: "advance", scenario: from, iterations: 1 }).catch(said);
  if (!answer || asked.peek() !== from || !(await openScenario(answer.scenario, { step: 0, focus: "first" }))) return false;
  loop.value = {
    base: before?.base ?? from, doc: /** @type {ScenarioDoc} */ (asked.peek()), n: (before?.n ?? 0) + 1,
    losses: [...(before?.losses ?? []), trace.loss ?? null], predicted: trace.predicted_change ?? null,
  };
  return true;
}

/** Goes on with the next iteration, playing. */
export async function playOn() {
  if (await nextIteration()) play();
}

/**
 * Opens a document some iterations later, as an address names it.
 * @param {ScenarioDoc} base @param {number} n @param {import("./open.js").Where} where @returns {Promise<boolean>}
 */
export async function openIteration(base, n, where) {
  const answer = await request({ type: "advance", scenario: base, iterations: n }).catch(said);
  if (!answer || !(await openScenario(answer.scenario, where))) return false;
  loop.value = { base, doc: /** @type {ScenarioDoc} */ (asked.peek()), n, losses: answer.losses, predicted: null };
  return true;
}

/**
 * What happened to a cell of a parameter, from the first iteration to the one on the screen; null outside a loop.
 * @param {string} tensor @param {number[]} cell @returns {Promise<Record<string, (number | null)[]> | null>} by w, g and the optimiser's states
 */
export async function history(tensor, cell) {
  const now = looping.peek();
  if (!now) return null;
  const answer = await request({ type: "advance", scenario: now.base, iterations: now.n + 1, watch: [{ tensor, cell }] }).catch(() => null);
  return answer?.series[0] ?? null;
}

/** @param {unknown} error */
function said(error) {
  notice.value = { level: "error", text: errorText(error) };
  return null;
}
