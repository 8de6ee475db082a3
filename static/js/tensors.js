/** Tensors of the trace on the screen: thumbnails for the map, the engine's numbers for the stage, in as many slices as frames need. */
import { slices } from "./lib/slices.js";
import { exactData, opened, t } from "./state.js";
import { request, StreamError } from "./stream.js";

/** @typedef {import("./types.d.ts").Opened} Opened */
/** @typedef {import("./types.d.ts").TensorView} TensorView */

/** Side of the thumbnails that are asked for: the map shows none larger than this on a plain screen. */
const THUMB_PX = 32;
/** Up to here a tensor comes whole into the map; up to the second it comes whole to the stage, beyond it by channel. */
const WHOLE_BYTES = 4 * 1024;
const CHANNEL_BYTES = 32 * 1024;

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

/** @param {Opened} trace @param {string} name */
function entry(trace, name) {
  const info = trace.tensors.find((tensor) => tensor.name === name);
  if (!info) throw new StreamError({ code: "E_RANGE", message: t.peek()("error.no_tensor", { name }) });
  return { info, item: info.dtype === "float64" ? 8 : 4, cells: info.shape.reduce((a, b) => a * b, 1) };
}

/** @param {Opened} trace @param {string} name @returns {Promise<TensorView>} */
async function load(trace, name) {
  const { info, item } = entry(trace, name);
  const parts = await Promise.all(slices(info.shape, item).map((slice) => ask(trace, { type: "tensor", name, ...(slice ? { slice } : {}) })));
  const arrays = parts.map((part) => part.columns[name].data);
  const data = arrays.length === 1 ? arrays[0] : joined(arrays);
  return { name, shape: info.shape, data, thumb: false, min: info.min, max: info.max };
}

/** What the network map needs of a tensor: thumbnails of large maps, small tensors and vectors whole. @param {Opened} trace @param {string} name @returns {Promise<TensorView>} */
export async function fetchMap(trace, name) {
  const { info, item, cells } = entry(trace, name);
  if (info.shape.length !== 4 || cells * item <= WHOLE_BYTES) return fetchTensor(trace, name);
  const { columns } = await ask(trace, { type: "tensor", name, thumb: THUMB_PX });
  const { shape, data: codes } = columns[name];
  const ranges = Array.from(columns[`${name}.min`].data, (min, i) => ({ min, max: columns[`${name}.max`].data[i] }));
  const plane = shape[2] * shape[3];
  const data = new Float32Array(codes.length);
  ranges.forEach(({ min, max }, map) => {
    const unit = Math.max(Math.abs(min), Math.abs(max)) / 127;
    for (let i = map * plane; i < (map + 1) * plane; i++) data[i] = codes[i] === -128 ? NaN : codes[i] * unit;
  });
  return { name, shape, data, thumb: true, min: info.min, max: info.max, ranges };
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

/**
 * The engine's numbers of a tensor, or of one channel of a large one, joined to what is here of it already.
 * @param {Opened} trace @param {string} name @param {number | null} channel @param {TensorView} [have] @returns {Promise<TensorView>}
 */
export async function fetchExact(trace, name, channel, have) {
  const { info, item, cells } = entry(trace, name);
  if (channel === null || info.shape.length !== 4 || cells * item <= CHANNEL_BYTES) return fetchTensor(trace, name);
  const [samples, channels, rows, cols] = info.shape;
  const plane = rows * cols;
  const range = [[0, samples], [channel, channel + 1], [0, rows], [0, cols]];
  const { data: found } = (await ask(trace, { type: "tensor", name, slice: range })).columns[name];
  const data = have?.data ?? (item === 8 ? new Float64Array(cells) : new Float32Array(cells)).fill(NaN);
  const planes = new Set(have?.planes);
  for (let n = 0; n < samples; n++) {
    data.set(found.subarray(n * plane, (n + 1) * plane), (n * channels + channel) * plane);
    planes.add(n * channels + channel);
  }
  return { name, shape: info.shape, data, thumb: false, min: info.min, max: info.max, planes };
}

/** Adds the channels of another view, which may have come meanwhile into an array of its own. @param {TensorView} view @param {TensorView} other */
function join(view, other) {
  const size = view.shape[2] * view.shape[3];
  for (const plane of other.planes ?? []) {
    if (other.data !== view.data) view.data.set(other.data.subarray(plane * size, (plane + 1) * size), plane * size);
    view.planes?.add(plane);
  }
}

/** Whether the numbers are here. @param {TensorView | undefined} view @param {number | null} channel */
function has(view, channel) {
  return view !== undefined && (view.planes === undefined || (channel !== null && view.planes.has(channel)));
}

/** Channels on their way, by trace, tensor and channel. @type {Set<string>} */
const coming = new Set();

/** Brings numbers that a step reads into `exactData` if they are not there. @param {string} name @param {number | null} channel null for all of them */
export async function ensure(name, channel) {
  const trace = opened.peek();
  const key = `${trace?.trace} ${name} ${channel}`;
  if (!trace || coming.has(key) || has(exactData.peek().get(name), channel) || !trace.tensors.some((tensor) => tensor.name === name)) return;
  coming.add(key);
  try {
    const view = await fetchExact(trace, name, channel, exactData.peek().get(name));
    const have = exactData.peek().get(name);
    if (opened.peek() !== trace || has(have, channel)) return;
    if (view.planes && have?.planes) join(view, have);
    exactData.value = new Map(exactData.peek()).set(name, view);
  } catch {
    // the next step that reads it asks again
  } finally {
    coming.delete(key);
  }
}
