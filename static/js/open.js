/** Opening scenarios: ask the server, fetch what the map shows, and change the screen in one go. The last good state stays until then. */
import { batch } from "@preact/signals";
import { errorText } from "./errors.js";
import { blockAt, nearest, ravel, unravel } from "./lib/cells.js";
import { stepOf, WindowCache, windowOf } from "./lib/windows.js";
import { asked, cursor, exactData, fieldError, focus, hover, mapData, notice, opened, pending, pinned, playing, sample, scenario, speaking, stepData } from "./state.js";
import { request, StreamError } from "./stream.js";
import { ask, fetchExact, fetchMap } from "./tensors.js";
import { sendAgain } from "./uploads.js";

/** @typedef {import("./types.d.ts").Opened} Opened */
/** @typedef {import("./types.d.ts").ScenarioDoc} ScenarioDoc */
/** @typedef {import("./types.d.ts").TensorView} TensorView */
/** @typedef {{keepCursor?: boolean, step?: number, focus?: import("./types.d.ts").Focus | "first" | null}} Where "first" is the first map that is computed */

/** Windows of the trace on the screen. */
export const windows = new WindowCache();

/** Steps fetched at once around the cursor. */
export const AHEAD = 64;
/** Steps fetched with a new trace, for the first look. */
const FIRST = 16;
/** Kinds whose cells depend on their own channel alone. */
const POOLS = new Set(["maxpool2d", "avgpool2d", "global_avgpool2d"]);
let newest = 0;
/** The document of the trace on the screen, as it was asked for. @type {ScenarioDoc | null} */
let good = null;

/**
 * Opens a document. Only the newest call changes the screen: while a slider moves, answers to older ones are dropped.
 * @param {{scenario: ScenarioDoc} | {digest: string}} what @param {Where} [where] where to look afterwards
 * @returns {Promise<"shown" | "refused" | "overtaken">}
 */
export async function open(what, where = {}) {
  const mine = ++newest;
  pending.value = true;
  if ("scenario" in what) asked.value = scenario.value = what.scenario;
  try {
    const answer = await compute(what);
    if (mine !== newest) return "overtaken";
    const before = opened.peek();
    const kept = where.keepCursor && before ? keptStep(before, answer) : 0;
    const at = Math.max(0, Math.min(answer.steps - 1, where.step ?? kept));
    const names = ["input", ...answer.nodes.map(({ out }) => out)];
    const wanted = read(answer, at);
    const [window, maps, exact] = await Promise.all([
      fetchSteps(answer, at, at + FIRST),
      Promise.all(names.map((name) => fetchMap(answer, name))),
      Promise.all(wanted.map(([name, channel]) => fetchExact(answer, name, channel))),
    ]);
    if (mine !== newest) return "overtaken";
    good = "scenario" in what ? what.scenario : answer.scenario;
    show(answer, byName(maps), byName([...maps.filter(({ thumb }) => !thumb), ...exact]), window, at, where);
    return "shown";
  } catch (error) {
    await speaking; // the first scenario is asked for before the catalogue has come
    if (mine !== newest) return "overtaken";
    refused(error);
    return "refused";
  } finally {
    if (mine === newest) pending.value = false;
  }
}

/**
 * Asks for a trace; a picture of the user's own that the server has lost is sent again first.
 * @param {{scenario: ScenarioDoc} | {digest: string}} what @returns {Promise<Opened>}
 */
async function compute(what) {
  try {
    return await request({ type: "open", ...what });
  } catch (error) {
    const image = "scenario" in what ? what.scenario.input?.image : undefined;
    if (!(error instanceof StreamError) || error.code !== "E_IMAGE" || !(await sendAgain(image))) throw error;
    return request({ type: "open", ...what });
  }
}

/** After a break of the connection: the server may be another one, which has to compute the trace before anything can be asked of it. */
export async function reopen() {
  const trace = opened.peek();
  if (!trace) return; // the very first request still waits, and is sent again by the socket
  try {
    await compute({ scenario: trace.scenario });
  } catch (error) {
    if (opened.peek() === trace) refused(error);
  }
}

/** @param {TensorView[]} views */
const byName = (views) => new Map(views.map((view) => [view.name, view]));

/** @param {Opened} answer @param {Map<string, TensorView>} maps @param {Map<string, TensorView>} exact @param {import("./lib/windows.js").StepWindow | null} window @param {number} at @param {Where} where */
function show(answer, maps, exact, window, at, where) {
  const before = opened.peek();
  const same = before !== null && before.nodes.length === answer.nodes.length && answer.nodes.every(({ name }, i) => before.nodes[i].name === name);
  batch(() => {
    windows.clear();
    if (window) windows.add(window);
    playing.value = false;
    stepData.value = window ? stepOf(window, at) : null;
    hover.value = pinned.value = null;
    fieldError.value = null;
    if (notice.peek()?.level === "error") notice.value = null;
    mapData.value = maps;
    exactData.value = exact;
    opened.value = answer;
    scenario.value = answer.scenario;
    asked.value = good;
    cursor.value = at;
    sample.value = Math.min(sample.peek(), (answer.tensors.find(({ name }) => name === "input")?.shape[0] ?? 1) - 1);
    const wish = where.focus === undefined ? (same ? focus.peek() : null) : where.focus;
    if (wish === "first") focus.value = { node: answer.blocks[0].node, channel: 0 };
    else focus.value = valid(answer, wish && inPhase(answer, at, wish));
  });
}

/** A focus in the phase of the step that it is on: addresses name node and step only. @param {Opened} answer @param {number} step @param {import("./types.d.ts").Focus} at */
export function inPhase(answer, step, at) {
  const block = answer.blocks[blockAt(answer.blocks, step)];
  return block?.node === at.node && (at.node !== "input" || block.phase !== "forward") ? { ...at, phase: block.phase } : { node: at.node, channel: at.channel };
}

/** @param {Opened} answer @param {import("./types.d.ts").Focus | null} at @returns the focus if the trace has that map */
function valid(answer, at) {
  if (!at) return null;
  if (at.phase && at.phase !== "forward") return answer.blocks.some(({ node, phase }) => node === at.node && phase === at.phase) ? at : null;
  const node = at.node === "input" ? { shape: answer.tensors.find(({ name }) => name === "input")?.shape ?? [] } : answer.nodes.find(({ name }) => name === at.node);
  return node && at.channel < node.shape[1] ? at : null;
}

/**
 * Tensors that the step and its layer read and write. Where a cell depends on its own channel alone, that channel is named; null stands for all.
 * @param {Opened} trace @param {number} step @returns {[string, number | null][]}
 */
export function read(trace, step) {
  const block = trace.blocks[blockAt(trace.blocks, step)];
  if (!block) return [];
  // a layer of several blocks is shown whole: softmax needs its maximum and sum while it divides. A backward step has its own tensors only
  const own = block.phase === "backward" ? [block] : trace.blocks.filter((one) => (one.node === block.node && one.phase === block.phase && sameParam(one.writes, block)) || penaltyOf(one, block));
  const channel = unravel(step - block.start, block.shape)[1] ?? null;
  const alone = block.combine === "map" || POOLS.has(block.kind) || block.kind === "add";
  /** @type {Map<string, number | null>} */
  const wanted = new Map();
  for (const { roles, addends, writes } of own) {
    for (const { tensor } of [...roles, ...addends]) wanted.set(tensor, alone && block.kind !== "flatten" ? channel : null);
    if (!wanted.has(writes)) wanted.set(writes, channel);
  }
  return [...wanted];
}

/** In an update a node's parameters have nothing to do with each other. @param {string} writes @param {import("./types.d.ts").Block} block */
function sameParam(writes, block) {
  const param = (/** @type {string} */ name) => name.split(".").slice(0, 2).join(".");
  return block.phase !== "update" || param(writes) === param(block.writes);
}

/** The penalty's share of a gradient stands at the head of the update that it is part of. @param {import("./types.d.ts").Block} one @param {import("./types.d.ts").Block} block */
function penaltyOf(one, block) {
  return block.phase === "update" && one.kind === "penalty" && one.phase === "backward" && sameParam(one.writes, block);
}

/**
 * A window of steps from `start`; the server stops it at the end of the block or of the frame.
 * @param {Opened} trace @param {number} start @param {number} stop @param {string} [lane] null comes back when a newer request of the lane overtook it
 * @param {string} [reading] one of the block's others
 * @returns {Promise<import("./lib/windows.js").StepWindow | null>}
 */
export async function fetchSteps(trace, start, stop, lane, reading) {
  const block = trace.blocks[blockAt(trace.blocks, start)];
  if (!block) return null;
  const frame = await ask(trace, { type: "steps", start, stop: Math.min(stop, block.stop), ...(lane ? { lane } : {}), ...(reading ? { reading } : {}) });
  return frame && windowOf(frame, trace.blocks, reading);
}

/** The same cell in the new trace, or the nearest one that it has. @param {Opened} before @param {Opened} after */
function keptStep(before, after) {
  const old = before.blocks[blockAt(before.blocks, cursor.peek())];
  const now = after.blocks.find(({ writes }) => writes === old?.writes);
  if (!now) return 0;
  return now.start + ravel(nearest(unravel(cursor.peek() - old.start, old.shape), now.shape), now.shape);
}

/** Puts the refusal on the screen and the document back. @param {unknown} error */
function refused(error) {
  const known = error instanceof StreamError ? error : null;
  scenario.value = opened.peek()?.scenario ?? null;
  asked.value = good;
  const text = errorText(error);
  if (known?.field) fieldError.value = { path: known.field, message: text };
  notice.value = { level: "error", text, field: known?.field || undefined };
}
