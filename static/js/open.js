/** Opening scenarios: ask the server, fetch what the map shows, and change the screen in one go. The last good state stays until then. */
import { batch } from "@preact/signals";
import { blockAt } from "./lib/cells.js";
import { stepOf, WindowCache, windowOf } from "./lib/windows.js";
import { cursor, fieldError, focus, hover, mapData, notice, opened, pending, pinned, playing, scenario, stepData, t } from "./state.js";
import { request, StreamError } from "./stream.js";

/** @typedef {import("./types.d.ts").Opened} Opened */
/** @typedef {import("./types.d.ts").ScenarioDoc} ScenarioDoc */
/** @typedef {import("./types.d.ts").TensorInfo} TensorInfo */
/** @typedef {import("./types.d.ts").TensorView} TensorView */
/** @typedef {{keepCursor?: boolean, step?: number, focus?: import("./types.d.ts").Focus | "first" | null}} Where "first" is the first map that is computed */

/** Windows of the trace on the screen. */
export const windows = new WindowCache();

/** Steps fetched at once around the cursor. */
export const AHEAD = 64;
/** A frame holds 256 KiB; this leaves room for its header. */
const FRAME_BYTES = 240 * 1024;
/** Tensors that are being fetched, by trace and name. @type {Map<string, Promise<TensorView>>} */
const fetching = new Map();
let newest = 0;

/**
 * Opens a document. Only the newest call changes the screen: while a slider moves, answers to older ones are dropped.
 * @param {Record<string, unknown>} what `{scenario}` or `{digest}` @param {Where} [where] where to look afterwards
 * @returns {Promise<boolean>} whether it is on the screen now
 */
export async function open(what, where = {}) {
  const mine = ++newest;
  pending.value = true;
  try {
    /** @type {Opened} */
    const answer = await request({ type: "open", ...what });
    if (mine !== newest) return false;
    const before = opened.peek();
    const kept = where.keepCursor && before ? keptStep(before, answer) : 0;
    const at = Math.max(0, Math.min(answer.steps - 1, where.step ?? kept));
    const names = ["input", ...answer.nodes.map(({ out }) => out), ...read(answer, at)];
    const [window, ...views] = await Promise.all([fetchSteps(answer, at, at + AHEAD), ...[...new Set(names)].map((name) => fetchTensor(answer, name))]);
    if (mine !== newest) return false;
    show(answer, new Map(views.map((view) => [view.name, view])), window, at, where);
    return true;
  } catch (error) {
    if (mine === newest) refused(error);
    return false;
  } finally {
    if (mine === newest) pending.value = false;
  }
}

/** @param {Opened} answer @param {Map<string, TensorView>} views @param {import("./lib/windows.js").StepWindow | null} window @param {number} at @param {Where} where */
function show(answer, views, window, at, where) {
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
    mapData.value = views;
    opened.value = answer;
    scenario.value = answer.scenario;
    cursor.value = at;
    if (where.focus === "first") focus.value = { node: answer.blocks[0].node, channel: 0 };
    else if (where.focus !== undefined) focus.value = valid(answer, where.focus);
    else if (!same) focus.value = null;
    else focus.value = valid(answer, focus.peek());
  });
}

/** @param {Opened} answer @param {import("./types.d.ts").Focus | null} at @returns the focus if the trace has that map */
function valid(answer, at) {
  if (!at) return null;
  const node = at.node === "input" ? { shape: answer.tensors.find(({ name }) => name === "input")?.shape ?? [] } : answer.nodes.find(({ name }) => name === at.node);
  return node && at.channel < node.shape[1] ? at : null;
}

/** Tensors that the step reads. @param {Opened} trace @param {number} step @returns {string[]} */
export function read(trace, step) {
  const block = trace.blocks[blockAt(trace.blocks, step)];
  if (!block) return [];
  // a layer of several blocks is shown whole: softmax needs its maximum and sum while it divides
  const own = trace.blocks.filter(({ node }) => node === block.node);
  return [...new Set(own.flatMap(({ roles, addends, writes }) => [...roles, ...addends].map(({ tensor }) => tensor).concat(writes)))];
}

/**
 * A window of steps from `start`; the server stops it at the end of the block or of the frame.
 * @param {Opened} trace @param {number} start @param {number} stop @param {string} [lane] null comes back when a newer request of the lane overtook it
 * @returns {Promise<import("./lib/windows.js").StepWindow | null>}
 */
export async function fetchSteps(trace, start, stop, lane) {
  const block = trace.blocks[blockAt(trace.blocks, start)];
  if (!block) return null;
  const message = { type: "steps", trace: trace.trace, start, stop: Math.min(stop, block.stop), ...(lane ? { lane } : {}) };
  const frame = await request(message).catch((error) => again(trace, error, message));
  return frame && windowOf(frame, trace.blocks);
}

/** A server that has forgotten the trace computes it again and is asked once more. @param {Opened} trace @param {unknown} error @param {Record<string, unknown>} message */
async function again(trace, error, message) {
  if (!(error instanceof StreamError) || error.code !== "E_TRACE") throw error;
  await request({ type: "open", scenario: trace.scenario });
  return request(message);
}

/** The same cell in the new trace if it still exists, else the start of the same block. @param {Opened} before @param {Opened} after */
function keptStep(before, after) {
  const old = before.blocks[blockAt(before.blocks, cursor.peek())];
  const now = after.blocks.find(({ writes }) => writes === old?.writes);
  if (!now) return 0;
  const inside = cursor.peek() - old.start;
  return now.start + (String(old.shape) === String(now.shape) ? inside : 0);
}

/** Puts the refusal on the screen and the document back. @param {unknown} error */
function refused(error) {
  const known = error instanceof StreamError ? error : null;
  scenario.value = opened.peek()?.scenario ?? null;
  const text = known?.message ?? t.peek()("error.unexpected", { message: String(error) });
  if (known?.field) fieldError.value = { path: known.field, message: text };
  notice.value = { level: "error", text, field: known?.field || undefined };
}

/**
 * A whole tensor; a large one comes in slices of channels.
 * @param {Opened} trace @param {string} name @returns {Promise<TensorView>}
 */
export function fetchTensor(trace, name) {
  const key = `${trace.trace} ${name}`;
  let promise = fetching.get(key);
  if (!promise) {
    promise = load(trace, name).finally(() => fetching.delete(key));
    fetching.set(key, promise);
  }
  return promise;
}

/** @param {Opened} trace @param {string} name @returns {Promise<TensorView>} */
async function load(trace, name) {
  const info = trace.tensors.find((tensor) => tensor.name === name);
  if (!info) throw new StreamError({ code: "E_RANGE", message: t.peek()("error.no_tensor", { name }) });
  const parts = await Promise.all(slices(info).map((slice) => {
    const message = { type: "tensor", trace: trace.trace, name, ...(slice ? { slice } : {}) };
    return request(message).catch((error) => again(trace, error, message));
  }));
  const arrays = parts.map((part) => part.columns[name].data);
  const data = arrays.length === 1 ? arrays[0] : joined(arrays);
  return { name, shape: info.shape, data, thumb: false, min: info.min, max: info.max };
}

/** The slices in which a tensor fits into frames; [null] when it fits whole. Cut along the first dimension that is longer than one.
 * @param {TensorInfo} info @returns {([number, number][] | null)[]} */
function slices(info) {
  const cells = info.shape.reduce((a, b) => a * b, 1);
  const bytes = cells * (info.dtype === "float64" ? 8 : 4);
  if (bytes <= FRAME_BYTES) return [null];
  const dim = Math.max(0, info.shape.findIndex((extent) => extent > 1));
  const each = Math.max(1, Math.floor((FRAME_BYTES / bytes) * info.shape[dim]));
  return Array.from({ length: Math.ceil(info.shape[dim] / each) }, (_, i) => info.shape.map((extent, d) =>
    /** @type {[number, number]} */ (d === dim ? [i * each, Math.min(extent, (i + 1) * each)] : [0, extent])));
}

/** @param {import("./types.d.ts").Numbers[]} arrays */
function joined(arrays) {
  const Type = /** @type {Float32ArrayConstructor} */ (arrays[0].constructor);
  const whole = new Type(arrays.reduce((sum, array) => sum + array.length, 0));
  let at = 0;
  for (const array of arrays) {
    whole.set(array, at);
    at += array.length;
  }
  return whole;
}

/** Brings a tensor into `mapData` if it is not there: weights and intermediates are fetched when a step first reads them. @param {string} name */
export async function ensure(name) {
  const trace = opened.peek();
  if (!trace || mapData.peek().has(name) || !trace.tensors.some((tensor) => tensor.name === name)) return;
  const view = await fetchTensor(trace, name).catch(() => null);
  if (view && opened.peek() === trace && !mapData.peek().has(name)) mapData.value = new Map(mapData.peek()).set(name, view);
}
