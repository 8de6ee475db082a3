/** Everything a user can do. The interface calls these and reads the signals. */
import { batch } from "@preact/signals";
import { blockAt, moved, ravel, unravel } from "./lib/cells.js";
import { errorText } from "./errors.js";
import { parse, presetDoc, visit } from "./link.js";
import { inPhase, open } from "./open.js";
import { asked, boot, catalogue, cursor, exactData, focus, lang, looping, notice, opened, pastEnd, pinned, playing, preset, sample, scaleMode, speed, t, theme } from "./state.js";
import { perSample, restart, setCursor, start, stop } from "./steps.js";
import { StreamError } from "./stream.js";
import { ask, fetchTensor } from "./tensors.js";
import { send } from "./uploads.js";

/** @typedef {import("./types.d.ts").ScenarioDoc} ScenarioDoc */
/** @typedef {import("./types.d.ts").Unit} Unit */
/** @typedef {import("./open.js").Where} Where */

// ---- scenarios

/**
 * Where the very first screen stands: in the middle of a lively map, so that the stage is not empty. conv1_1 has 62 × 62 cells a map.
 * @type {Where}
 */
const OPENING = { focus: { node: "conv1_1", channel: 9 }, step: (9 * 62 + 26) * 62 + 24 };

/**
 * @param {string} id of a preset; a picture of the user's own comes along, a sample gives way to the preset's
 * @param {Where} [where]
 */
export async function openPreset(id, where = { focus: "first" }) {
  const image = asked.peek()?.input?.image;
  const doc = presetDoc(id, boot.samples.some((sample) => sample.id === image) ? undefined : image);
  if (!doc) return;
  const before = preset.peek();
  preset.value = id;
  visit();
  if ((await show(doc, where)) === "refused") preset.value = before;
}

/** @param {ScenarioDoc} doc @param {Where} where */
function show(doc, where) {
  stop();
  return open({ scenario: doc }, where);
}

/** @param {ScenarioDoc} doc @param {Where} [where] @returns {Promise<boolean>} whether it is on the screen now */
export async function openScenario(doc, where = {}) {
  return (await show(doc, where)) === "shown";
}

/**
 * Goes to a place an address names; a picture that is gone is said to be gone, and a sample takes its place.
 * @param {import("./link.js").Place} place @returns {Promise<boolean>} whether something is on the screen
 */
export async function travel(place) {
  const where = { step: place.step, focus: place.focus };
  const { doc, digest } = place;
  const here = looping.peek() ?? { base: asked.peek(), n: 0 };
  if (opened.peek() && (doc ? JSON.stringify(doc) === JSON.stringify(here.base) && place.iterations === here.n : digest === opened.peek()?.trace)) return look(where);
  preset.value = place.preset;
  if (doc && place.iterations > 0) {
    const { openIteration } = await import("./loop.js");
    if (await openIteration(doc, place.iterations, where)) return true;
  }
  if (!doc) return (await open({ digest: digest ?? "" }, where)) !== "refused";
  if ((await show(doc, where)) !== "refused") return true;
  const sample = presetDoc(place.preset ?? "tiny_vgg", undefined)?.input?.image;
  if (!doc.input?.image || !sample || doc.input.image === sample) return false;
  const refusal = notice.peek();
  if ((await show({ ...doc, input: { ...doc.input, image: sample } }, where)) === "refused") {
    notice.value = refusal;
    return false;
  }
  notice.value = { level: "error", text: t.peek()("error.image_gone"), sticky: true };
  return true;
}

/** Another place in the trace that is on the screen. @param {{step: number, focus: import("./types.d.ts").Focus | "first" | null}} where */
function look({ step, focus: place }) {
  stop();
  batch(() => {
    cursor.value = Math.max(0, Math.min((opened.peek()?.steps ?? 1) - 1, step));
    const trace = opened.peek();
    if (place === "first") focus.value = { node: trace?.blocks[0].node ?? "input", channel: 0 };
    else focus.value = place && trace ? inPhase(trace, cursor.value, place) : null;
    pinned.value = null;
  });
  return true;
}

/** The first screen: where the address says, else Tiny VGG with its sample. */
export async function begin() {
  const place = await parse(location.hash);
  if (place && (await travel(place))) return;
  const refusal = notice.peek();
  await openPreset("tiny_vgg", OPENING);
  if (refusal) notice.value = { ...refusal, sticky: true };
}

/** The document with a change, at the same cell. @param {(doc: ScenarioDoc) => ScenarioDoc} change @returns {Promise<boolean>} */
function changed(change) {
  const doc = asked.peek();
  return doc ? openScenario(change(doc), { keepCursor: true }) : Promise.resolve(false);
}

/** @param {ScenarioDoc} doc @param {NonNullable<ScenarioDoc["params"]>} patch */
const withParams = (doc, patch) => ({ ...doc, params: { ...doc.params, ...patch } });

/** Another picture. A network whose input was typed in turns to one that takes pictures. @param {string} id */
export function setImage(id) {
  visit();
  if (asked.peek()?.input?.image) return changed((doc) => ({ ...doc, input: { ...doc.input, image: id } }));
  preset.value = "tiny_vgg";
  return openScenario(/** @type {ScenarioDoc} */ (presetDoc("tiny_vgg", id)), { focus: "first" });
}

/** @param {"contain" | "cover" | "stretch"} fit how the picture is fitted to the input */
export function setFit(fit) {
  return changed((doc) => ({ ...doc, input: { ...doc.input, fit } }));
}

/** Sends a picture to the server and shows it. @param {Blob} blob @returns {Promise<boolean>} */
export async function uploadImage(blob) {
  const tr = t.peek();
  const most = boot.limits?.max_image_bytes ?? Infinity;
  if (blob.size > most) {
    notice.value = { level: "error", text: tr("error.image_large", { size: (blob.size / 2 ** 20).toFixed(1), most: (most / 2 ** 20).toFixed(0) }) };
    return false;
  }
  try {
    const answer = await send(blob);
    if (answer.frames > 1) notice.value = { level: "info", text: tr("notice.first_frame", { n: answer.frames }) };
    return await setImage(answer.id);
  } catch (error) {
    notice.value = { level: "error", text: error instanceof StreamError ? errorText(error) : tr("error.upload") };
    return false;
  }
}

/** @param {string} tensor @param {number[]} cell @param {number} value */
export function edit(tensor, cell, value) {
  return changed((doc) => withParams(doc, {
    edits: [...(doc.params?.edits ?? []).filter((one) => one.tensor !== tensor || String(one.cell) !== String(cell)), { tensor, cell, value }],
  }));
}

export function resetEdits() {
  return changed((doc) => withParams(doc, { edits: [] }));
}

/** @param {number} seed */
export function setSeed(seed) {
  return changed((doc) => withParams(doc, { seed }));
}

/** New numbers from another seed. */
export function reseed() {
  return setSeed(Math.floor(Math.random() * 100000));
}

/** @param {string} scheme */
export function setScheme(scheme) {
  return changed((doc) => withParams(doc, { scheme }));
}

/** Changes fields of one node; another kind keeps the fields it shares. @param {string} name @param {Record<string, unknown>} patch */
export function setNode(name, patch) {
  return changed((doc) => ({ ...doc, network: doc.network.map((node) => (node.name === name ? patched(node, patch) : node)) }));
}

/** Fields that kinds of the same family share. */
const SHARED = ["name", "inputs", "kernel_size", "stride", "padding"];
/** Activations have no window. */
const POOLS = ["maxpool2d", "avgpool2d"];

/** @param {import("./types.d.ts").NodeSpec} node @param {Record<string, unknown>} patch @returns {import("./types.d.ts").NodeSpec} */
function patched(node, patch) {
  if (!patch.kind || patch.kind === node.kind) return { ...node, ...patch };
  const kept = SHARED.filter((key) => key in node && (key === "name" || key === "inputs" || POOLS.includes(String(patch.kind))));
  return /** @type {import("./types.d.ts").NodeSpec} */ ({ ...Object.fromEntries(kept.map((key) => [key, node[key]])), ...patch });
}

// ---- the cursor

/** @param {number} step */
export function seek(step) {
  const trace = opened.peek();
  if (!trace) return;
  setCursor(Math.max(0, Math.min(trace.steps - 1, Math.round(step))));
  restart();
}

/** @param {Unit} unit @param {number} sign */
export function move(unit, sign) {
  const trace = opened.peek();
  if (!trace) return;
  enter();
  const to = moved(trace.blocks, cursor.peek(), unit, sign);
  if (sign > 0 && to === cursor.peek()) pastEnd.value += 1;
  seek(to);
}

/** A step wants a stage to be seen on. */
function enter() {
  const trace = opened.peek();
  const block = trace?.blocks[blockAt(trace.blocks, cursor.peek())];
  if (!focus.peek() && block) focus.value = { node: block.node, channel: 0, phase: block.phase };
}

export function first() {
  enter();
  seek(0);
}

export function last() {
  enter();
  seek((opened.peek()?.steps ?? 1) - 1);
}

export function play() {
  enter();
  start();
}

export function pause() {
  stop();
}

export function toggle() {
  if (playing.peek()) pause();
  else play();
}

/** @param {number} rate steps per second, 1 … 10⁶ */
export function setSpeed(rate) {
  speed.value = Math.max(1, Math.min(1e6, rate));
  restart();
}

/** Puts a map on the stage, the cursor on its first step unless it is in that map already. @param {string} node @param {number} channel
 * @param {string} [tensor] what is shown of the node, when not its output */
export function focusMap(node, channel, tensor) {
  const trace = opened.peek();
  if (!trace) return;
  stop();
  visit();
  const block = trace.blocks.findLast((one) => (tensor ? one.writes === tensor : one.node === node && one.phase === "forward"));
  batch(() => {
    if (block) {
      const first = perSample(trace, block) ? Math.min(sample.peek(), block.shape[0] - 1) * block.shape[1] : 0;
      const from = block.start + (first + channel) * block.shape.slice(2).reduce((a, b) => a * b, 1);
      const here = trace.blocks[blockAt(trace.blocks, cursor.peek())];
      const there = here === block && unravel(cursor.peek() - block.start, block.shape)[1] === channel;
      if (!there) cursor.value = from;
    }
    focus.value = { node, channel, phase: block?.phase ?? "forward" };
    pinned.value = null;
  });
}

/** Another picture of the batch: the same cell of it where the step is about one. @param {number} n */
export function setSample(n) {
  const trace = opened.peek();
  const block = trace?.blocks[blockAt(trace.blocks, cursor.peek())];
  sample.value = n;
  if (!trace || !block || !perSample(trace, block)) return;
  seek(block.start + ravel([n, ...unravel(cursor.peek() - block.start, block.shape).slice(1)], block.shape));
}

export function unfocus() {
  stop();
  visit();
  batch(() => {
    focus.value = null;
    pinned.value = null;
  });
}

/**
 * Goes to the step that wrote a cell; for a cell that no step wrote, says where its number came from.
 * @param {string} tensor @param {number} cell flat
 */
export async function jumpTo(tensor, cell) {
  const trace = opened.peek();
  const block = trace?.blocks.find(({ writes }) => writes === tensor);
  if (!trace || cell < 0) return;
  if (block) {
    visit();
    const coordinates = unravel(cell, block.shape);
    batch(() => {
      focus.value = { node: block.node, channel: coordinates[1] ?? 0, phase: block.phase };
      seek(block.start + ravel(coordinates, block.shape));
    });
    return;
  }
  const shape = trace.tensors.find(({ name }) => name === tensor)?.shape;
  if (!shape) return;
  const at = unravel(cell, shape);
  const origin = await ask(trace, { type: "origin", tensor, cell: at }).catch(() => null);
  if (origin) notice.value = { level: "info", text: originText(tensor, at, origin) };
}

/** A number as people read it, with the seven digits that a float32 has. @param {unknown} value */
const shown = (value) => (typeof value === "number" ? String(Number(value.toPrecision(7))).replace("-", "−") : String(value));

/** @param {string} tensor @param {number[]} cell @param {Record<string, any>} origin */
function originText(tensor, cell, origin) {
  const args = { place: `${tensor}[${cell.join(", ")}]` };
  for (const [key, value] of Object.entries(origin)) Object.assign(args, { [key]: [value].flat().map(shown).join(", ") });
  return t.peek()(`origin.${origin.from}`, args);
}

// ---- what the cards show

/** How the parameters of a node came to be. @param {string} node @returns {Promise<import("./types.d.ts").InitParam[]>} */
export async function loadInit(node) {
  const trace = opened.peek();
  return trace ? (await ask(trace, { type: "init", node })).params : [];
}

/** Any tensor of the trace. @param {string} name @returns {Promise<import("./types.d.ts").TensorView>} */
export async function loadTensor(name) {
  const trace = opened.peek();
  const here = exactData.peek().get(name);
  if (here && !here.planes) return here;
  if (!trace) throw new Error("no trace is open");
  return fetchTensor(trace, name);
}

// ---- the look

/** @param {import("./types.d.ts").ScaleMode} mode */
export function setScale(mode) {
  scaleMode.value = mode;
}

/** @param {import("./types.d.ts").Theme} name */
export function setTheme(name) {
  theme.value = name;
  store("theme", name);
}

/** Fetches the catalogue, then switches in one go. @param {import("./types.d.ts").Lang} code */
export async function setLang(code) {
  const response = await fetch(`${boot.static}/i18n/${code}.json`);
  const strings = await response.json();
  batch(() => {
    catalogue.value = strings;
    lang.value = code;
  });
  store("lang", code);
}

/** Storage may be forbidden; then the choice holds for this visit. @param {string} key @param {string} value */
function store(key, value) {
  try {
    localStorage.setItem(`convoscope.${key}`, value);
  } catch { /* forbidden */ }
}

// ---- target, loss, update

/**
 * Changes what is learnt: keys of the document; a part that is left out goes back to its defaults.
 * @param {Record<string, unknown>} patch
 */
export function setGoal(patch) {
  return changed((doc) => ({ ...doc, ...patch }));
}

/** The right answer; null takes it away, and with it the phases after `forward`. The first one leads to the loss.
 * @param {unknown} target @param {{kind: string}} [loss] for a target that the present loss cannot take */
export async function setTarget(target, loss) {
  const before = opened.peek()?.blocks.some(({ phase }) => phase !== "forward");
  const done = await changed((doc) => (target === null ? without(doc, "target") : { ...doc, target, ...(loss ? { loss } : {}) }));
  const first = opened.peek()?.blocks.find(({ phase }) => phase === "loss");
  if (!done || before || !first) return done;
  batch(() => {
    focus.value = { node: first.node, channel: 0, phase: first.phase };
    seek(first.start);
  });
  return done;
}

/** @param {ScenarioDoc} doc @param {string} key @returns {ScenarioDoc} */
function without(doc, key) {
  return /** @type {ScenarioDoc} */ (Object.fromEntries(Object.entries(doc).filter(([name]) => name !== key)));
}
