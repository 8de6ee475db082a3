/** The step at the cursor: out of the windows that are here, or asked for, the newest wish first; and ahead of the play-head. */
import { batch, effect } from "@preact/signals";
import { blockAt, unravel } from "./lib/cells.js";
import { onInput } from "./lib/phases.js";
import { Credits, PlayHead } from "./lib/playback.js";
import { stepOf, WindowCache, windowOf } from "./lib/windows.js";
import { AHEAD, fetchSteps, read, windows } from "./open.js";
import { cursor, focus, opened, sample, otherReadings, pastEnd, playedOut, playing, speed, stepData } from "./state.js";
import { request, tell } from "./stream.js";
import { ensure } from "./tensors.js";

/** @typedef {import("./types.d.ts").Opened} Opened */

/** Above this rate the server sends positions only, and the page draws maps from the tensors it has. */
export const TICKS_ABOVE = 2000;
/** Windows that may be on their way or waiting while playing. */
const CREDITS = 4;
/** Ticks come 30 times a second; between two the head may run on for three of them. */
const TICK_LEAD_S = 0.1;
/** While the cursor is dragged about, only this many steps are asked for: they are looked at for a moment. */
const GLANCE = 4;
/** A wish this soon after the one before belongs to a drag. */
const DRAG_MS = 120;
/** While playing, steps with very many terms come with the largest only: thousands of them a step would fill the line, and nobody reads them. */
const TOP = 64;
/** Requests of the scrub lane under way at once; beyond these only the newest wish is kept. */
const LANES = 2;

/** The running play: its request's id and its head. @type {{id: number, head: PlayHead, ticks: boolean} | null} */
let run = null;
const credits = new Credits(CREDITS);

/** Whether a block writes numbers of each sample: activations and their gradients. @param {Opened | null} trace @param {import("./types.d.ts").Block} block */
export function perSample(trace, block) {
  return (block.phase === "forward" || block.phase === "backward") && block.shape.length > 1 && block.shape[0] === samplesOf(trace) && !/\.(weight|bias)(\.|$)/.test(block.writes);
}

/** @param {Opened | null} trace @returns {number} samples in the batch */
export function samplesOf(trace) {
  return trace?.tensors.find(({ name }) => name === "input")?.shape[0] ?? 1;
}

/** Moves the cursor; with a map on the stage the focus goes along, so that the stage shows the map of the step. @param {number} at */
export function setCursor(at) {
  batch(() => {
    cursor.value = at;
    const trace = opened.peek();
    const block = trace?.blocks[blockAt(trace.blocks, at)];
    const seen = focus.peek();
    if (!block || !seen) return;
    const cell = unravel(at - block.start, block.shape);
    const channel = block.shape.length > 1 ? cell[1] : 0;
    if (perSample(trace, block)) sample.value = cell[0];
    if (seen.node !== block.node || seen.channel !== channel || (seen.phase ?? "forward") !== block.phase) focus.value = { node: block.node, channel, phase: block.phase };
  });
}

/** Keeps `stepData` at the cursor while a map is on the stage. Returns what stops it. */
export function followCursor() {
  return effect(() => {
    const trace = opened.value;
    const at = cursor.value;
    if (!trace || !focus.value) return;
    if (onInput(focus.value)) return void ensure("input", null);
    const window = windows.find(at);
    if (window) {
      show(window, at);
      if (!playing.peek() && at >= window.stop - GLANCE / 2) void prefetch(trace, window.stop);
    } else if (!playing.peek() || speed.peek() > TICKS_ABOVE) wish(trace, at);
    for (const [name, channel] of read(trace, at)) void ensure(name, channel);
  });
}

/** @param {import("./lib/windows.js").StepWindow} window @param {number} at */
function show(window, at) {
  const shown = stepData.peek();
  if (shown?.index !== at || shown.block !== window.block) stepData.value = stepOf(window, at);
}

/** Windows of other readings, by reading; they belong to one trace. @type {{trace: Opened | null, caches: Map<string, WindowCache>}} */
const others = { trace: null, caches: new Map() };
let othersUnderWay = 0;

/** Keeps `otherReadings` at the step that is shown. Returns what stops it. */
export function followReadings() {
  return effect(() => {
    const trace = opened.value;
    const step = stepData.value;
    if (!trace || !step || step.block.readings.length < 2) return;
    void bringReadings(trace, step);
  });
}

/** One request at a time: the next looks at where the cursor is by then. @param {Opened} trace @param {import("./types.d.ts").StepView} step */
async function bringReadings(trace, step) {
  if (others.trace !== trace) Object.assign(others, { trace, caches: new Map() });
  /** @type {Record<string, import("./types.d.ts").StepView>} */
  const found = {};
  for (const reading of step.block.readings.slice(1)) {
    const cache = others.caches.get(reading) ?? new WindowCache();
    others.caches.set(reading, cache);
    let window = cache.find(step.index);
    if (!window && othersUnderWay === 0) {
      othersUnderWay += 1;
      window = await fetchSteps(trace, step.index, step.index + AHEAD, "other", reading).catch(() => null) ?? undefined;
      othersUnderWay -= 1;
      if (window) cache.add(window);
      const now = stepData.peek();
      if (now && now !== step && opened.peek() === trace) return void bringReadings(trace, now);
    }
    if (window) found[reading] = stepOf(window, step.index);
  }
  if (opened.peek() === trace && stepData.peek()?.index === step.index) otherReadings.value = { index: step.index, steps: found };
}

/** The newest step that could not be asked for yet. @type {{trace: Opened, at: number} | null} */
let wished = null;
let underWay = 0;
let lastWish = 0;

/** @param {Opened} trace @param {number} at */
function wish(trace, at) {
  wished = { trace, at };
  if (underWay < LANES) void bring();
}

/** Fetches the newest wish, then the one that came meanwhile. */
async function bring() {
  if (!wished) return;
  const { trace, at } = wished;
  wished = null;
  underWay += 1;
  const now = performance.now();
  const dragged = now - lastWish < DRAG_MS;
  lastWish = now;
  const block = trace.blocks[blockAt(trace.blocks, at)];
  const start = dragged ? at : Math.max(block.start, at - AHEAD / 4); // a few behind: people step back, too
  let window = await fetchSteps(trace, start, at + (dragged ? GLANCE : AHEAD), "scrub").catch(() => null);
  // long steps: the frame was full before the one that is wanted
  if (window && window.stop <= at) window = await fetchSteps(trace, at, at + GLANCE, "scrub").catch(() => null);
  underWay -= 1;
  if (window && opened.peek() === trace) took(window, at);
  if (wished) void bring();
}

/** The cursor may have gone on; the newest that is here is shown all the same, so that a drag over a slow line is not blind.
 * @param {import("./lib/windows.js").StepWindow} window @param {number} at */
function took(window, at) {
  windows.add(window);
  const now = cursor.peek();
  const here = windows.find(now);
  if (here) show(here, now);
  else show(window, at);
}

let fetchingFrom = -1;

/** @param {Opened} trace @param {number} start */
async function prefetch(trace, start) {
  if (start >= trace.steps || fetchingFrom === start || windows.find(start)) return;
  fetchingFrom = start;
  const window = await fetchSteps(trace, start, start + AHEAD).catch(() => null);
  if (fetchingFrom === start) fetchingFrom = -1;
  if (window && opened.peek() === trace) windows.add(window);
}

/** Starts at the cursor with the present speed. At the end it starts over. */
export function start() {
  const trace = opened.peek();
  if (!trace) return;
  if (cursor.peek() >= trace.steps - 1) setCursor(0);
  const [from, rate] = [cursor.peek(), speed.peek()];
  const id = tell({ type: "play", trace: trace.trace, start: from, rate, top: TOP });
  const mine = { id, ticks: rate > TICKS_ABOVE, head: new PlayHead({ from, steps: trace.steps, rate, now: performance.now() }) };
  run = mine;
  playing.value = true;
  const frame = () => {
    if (run !== mine) return;
    advance(mine);
    requestAnimationFrame(frame);
  };
  frame();
}

/** @param {NonNullable<typeof run>} mine */
function advance({ head, ticks }) {
  const at = head.at(performance.now());
  if (at !== cursor.peek()) setCursor(at);
  if (head.ends(at)) {
    pastEnd.value += 1;
    playedOut.value += 1;
    return stop();
  }
  const more = ticks ? 0 : credits.grant(head.ahead.length);
  if (more > 0) tell({ type: "credit", n: more });
}

/** Stops where the head is. */
export function stop() {
  if (!playing.peek()) return;
  playing.value = false;
  run = null;
  request({ type: "pause" }).catch(() => null);
  const trace = opened.peek();
  if (windows.dropPartial() && trace) wish(trace, cursor.peek()); // who stops wants to see all of it
}

/** Takes what the server pushes. @param {any} answer */
export function pushed(answer) {
  const trace = opened.peek();
  if (answer.meta?.type === "steps") credits.used();
  if (!run || !trace || Number(answer.re ?? answer.meta?.re) !== run.id) return;
  if (answer.meta?.type === "steps") {
    const window = windowOf(answer, trace.blocks);
    windows.add(window);
    run.head.arrived(window.stop);
    const at = cursor.peek();
    if (at >= window.start && at < window.stop) show(window, at);
  } else if (answer.type === "tick") run.head.arrived(Math.floor(answer.step + run.head.rate * TICK_LEAD_S));
  else if (answer.type === "ended" && run.ticks) run.head.arrived(trace.steps);
  else if (answer.type === "error") stop();
}

/** Starts the play again from where it is: after a seek or a change of speed. */
export function restart() {
  if (playing.peek()) start();
}

/** Goes on after a break of the connection: the new one knows of no play and no credits. */
export function resumePlay() {
  credits.reset();
  restart();
}
