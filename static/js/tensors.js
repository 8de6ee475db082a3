/** Tensors of the trace on the screen: fetched whole, in as many slices as frames need, and kept in `mapData`. */
import { slices } from "./lib/slices.js";
import { mapData, opened, t } from "./state.js";
import { request, StreamError } from "./stream.js";

/** @typedef {import("./types.d.ts").Opened} Opened */
/** @typedef {import("./types.d.ts").TensorView} TensorView */

/** Tensors that are being fetched, by trace and name. @type {Map<string, Promise<TensorView>>} */
const fetching = new Map();

/**
 * Asks something of a trace. A server that has forgotten it computes it again and is asked once more.
 * @param {Opened} trace @param {Record<string, unknown>} message without trace @returns {Promise<any>}
 */
export async function ask(trace, message) {
  const whole = { ...message, trace: trace.trace };
  try {
    return await request(whole);
  } catch (error) {
    if (!(error instanceof StreamError) || error.code !== "E_TRACE") throw error;
    await request({ type: "open", scenario: trace.scenario });
    return request(whole);
  }
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
  const parts = await Promise.all(slices(info.shape, info.dtype === "float64" ? 8 : 4).map((slice) => ask(trace, { type: "tensor", name, ...(slice ? { slice } : {}) })));
  const arrays = parts.map((part) => part.columns[name].data);
  const data = arrays.length === 1 ? arrays[0] : joined(arrays);
  return { name, shape: info.shape, data, thumb: false, min: info.min, max: info.max };
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
