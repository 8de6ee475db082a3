/** The step at the cursor: out of the windows that are here, or asked for, the newest wish first; and ahead of the play-head. */
import { effect } from "@preact/signals";
import { blockAt } from "./lib/cells.js";
import { stepOf, windowOf } from "./lib/windows.js";
import { AHEAD, ensure, fetchSteps, read, windows } from "./open.js";
import { cursor, focus, opened, playing, speed, stepData } from "./state.js";
import { request, tell } from "./stream.js";

/** Above this rate the server sends positions only, and the page draws maps from the tensors it has. */
export const TICKS_ABOVE = 2000;
/** Windows that may be on their way while playing. */
const CREDITS = 4;

/** The running play: its request's id, the step and the time (ms) the head was set, and the last step that has arrived.
 * @type {{id: number, from: number, since: number, arrived: number, ended: boolean} | null} */
let run = null;
/** The step that was last asked for, so that one is not asked for twice. */
let wanted = -1;

/** Keeps `stepData` at the cursor. Returns what stops it. */
export function followCursor() {
  return effect(() => {
    const trace = opened.value;
    const at = cursor.value;
    if (!trace || !focus.value || focus.value.node === "input") return;
    const window = windows.find(at);
    if (window) {
      if (stepData.peek()?.index !== at || stepData.peek()?.block !== window.block) stepData.value = stepOf(window, at);
      for (const name of read(trace, at)) void ensure(name);
      if (!playing.peek() && at >= window.stop - 8 && !windows.find(window.stop)) void prefetch(trace, window.stop);
    } else if (!playing.peek() || speed.peek() > TICKS_ABOVE) void bring(trace, at);
  });
}

/** @param {import("./types.d.ts").Opened} trace @param {number} at */
async function bring(trace, at) {
  if (wanted === at) return;
  wanted = at;
  const block = trace.blocks[blockAt(trace.blocks, at)];
  const start = Math.max(block.start, at - AHEAD / 4); // a few behind: people step back, too
  let window = await fetchSteps(trace, start, at + AHEAD, "scrub").catch(() => null);
  if (window && window.stop <= at) window = await fetchSteps(trace, at, at + AHEAD, "scrub").catch(() => null); // long steps: the frame was full before
  if (wanted === at) wanted = -1;
  if (!window || opened.peek() !== trace) return;
  windows.add(window);
  const now = cursor.peek();
  if (now >= window.start && now < window.stop) stepData.value = stepOf(window, now);
  for (const name of read(trace, at)) void ensure(name);
}

/** @param {import("./types.d.ts").Opened} trace @param {number} start */
async function prefetch(trace, start) {
  if (start >= trace.steps || wanted === start) return;
  wanted = start;
  const window = await fetchSteps(trace, start, start + AHEAD).catch(() => null);
  if (wanted === start) wanted = -1;
  if (window && opened.peek() === trace) windows.add(window);
}

/** Starts at the cursor with the present speed. At the end it starts over. */
export function start() {
  const trace = opened.peek();
  if (!trace) return;
  if (cursor.peek() >= trace.steps - 1) cursor.value = 0;
  const from = cursor.peek();
  const id = tell({ type: "play", trace: trace.trace, start: from, rate: speed.peek() });
  run = { id, from, since: performance.now(), arrived: from, ended: false };
  playing.value = true;
  if (speed.peek() <= TICKS_ABOVE) {
    tell({ type: "credit", n: CREDITS });
    requestAnimationFrame(advance);
  }
}

/** Stops where the head is. */
export function stop() {
  if (!playing.peek()) return;
  playing.value = false;
  run = null;
  request({ type: "pause" }).catch(() => null);
}

/** Moves the head by the clock, as far as steps have arrived; when it catches up with them the clock waits. */
function advance() {
  const trace = opened.peek();
  if (!run || !playing.peek() || !trace) return;
  const due = run.from + Math.floor(((performance.now() - run.since) * speed.peek()) / 1000);
  const last = Math.max(run.from, run.arrived - 1);
  const at = Math.min(due, last, trace.steps - 1);
  const passed = windows.find(cursor.peek());
  if (at !== cursor.peek()) {
    cursor.value = at;
    if (passed && windows.find(at) !== passed) tell({ type: "credit", n: 1 });
  }
  if (due > last + 1) [run.from, run.since] = [at, performance.now()];
  if (at >= trace.steps - 1) return stop();
  requestAnimationFrame(advance);
}

/** Takes what the server pushes. @param {any} answer */
export function pushed(answer) {
  const trace = opened.peek();
  const re = Number(answer.re ?? answer.meta?.re);
  if (!run || !trace || re !== run.id) return;
  if (answer.meta?.type === "steps") {
    const window = windowOf(answer, trace.blocks);
    windows.add(window);
    run.arrived = Math.max(run.arrived, window.stop);
  } else if (answer.type === "tick") cursor.value = Math.min(trace.steps - 1, answer.step);
  else if (answer.type === "ended" && speed.peek() > TICKS_ABOVE) {
    cursor.value = trace.steps - 1;
    playing.value = false;
    run = null;
  } else if (answer.type === "error") stop();
}

/** Starts the play again from where it is: after a seek, a change of speed, or a break of the connection. */
export function restart() {
  if (playing.peek()) start();
}
