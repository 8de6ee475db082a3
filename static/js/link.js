/**
 * The address is a permalink to this moment: `#net=tiny_vgg&image=sha256:…&step=9310&map=conv1.2`. A document that is no preset with another picture is
 * deflated into `doc`; one too long for an address is named by its digest; `it` counts the iterations since. A change of what is on the stage is a step of the browser's history,
 * a step of the cursor only replaces the newest one, at most once a second.
 */
import { effect } from "@preact/signals";
import { pack, unpack } from "./lib/pack.js";
import { asked, boot, cursor, focus, looping, opened, playing, preset } from "./state.js";

/** @typedef {import("./types.d.ts").ScenarioDoc} ScenarioDoc */
/** @typedef {{doc: ScenarioDoc | null, digest: string | null, preset: string | null, iterations: number, step: number, focus: import("./types.d.ts").Focus | "first" | null}} Place "first" when the address names a network and no moment; iterations: after the document's own */

/** Browsers and chats shorten addresses that are longer. */
const LONGEST = 6000;
const PAUSE_MS = 1000;
/** A cursor at rest. */
const SETTLE_MS = 250;

/** @param {string | null} id @param {string | undefined} image @returns {ScenarioDoc | null} a preset with a picture */
export function presetDoc(id, image) {
  const found = boot.presets.find((one) => one.id === id)?.scenario;
  if (!found) return null;
  return image && found.input?.image ? { ...found, input: { ...found.input, image } } : found;
}

/** The address of this moment, without the `#`. @returns {Promise<string>} */
async function address() {
  const trace = opened.peek();
  const iterations = looping.peek();
  const doc = iterations?.base ?? asked.peek();
  const parts = new URLSearchParams();
  const id = preset.peek();
  const image = doc?.input?.image;
  if (id) parts.set("net", id);
  if (doc && JSON.stringify(doc) !== JSON.stringify(presetDoc(id, image))) {
    const packed = await pack(doc);
    if (packed.length <= LONGEST || !trace) parts.set("doc", packed);
    else parts.set("trace", trace.trace);
  } else if (image) parts.set("image", boot.samples.find((sample) => sample.id === image)?.name ?? image);
  if (iterations) parts.set("it", String(iterations.n));
  parts.set("step", String(cursor.peek()));
  const at = focus.peek();
  if (at) parts.set("map", `${at.node}.${at.channel}`);
  return parts.toString().replaceAll("%3A", ":");
}

/** Reads an address. @param {string} hash with or without `#` @returns {Promise<Place | null>} null when it names nothing */
export async function parse(hash) {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  const id = parts.get("net");
  const image = parts.get("image");
  const packed = parts.get("doc");
  const digest = parts.get("trace");
  let doc = null;
  try {
    doc = packed ? await unpack(packed) : presetDoc(id, boot.samples.find(({ name }) => name === image)?.id ?? image ?? undefined);
  } catch {
    doc = presetDoc(id, undefined); // a link cut short by a chat: the network is still right
  }
  if (!doc && !digest) return null;
  const map = parts.get("map");
  const dot = map?.lastIndexOf(".") ?? -1;
  const at = map && dot > 0 ? { node: map.slice(0, dot), channel: Number(map.slice(dot + 1)) || 0 } : null;
  return { doc: digest ? null : doc, digest, preset: id, iterations: Math.max(0, Math.floor(Number(parts.get("it")) || 0)), step: Number(parts.get("step")) || 0, focus: at ?? (parts.has("step") ? null : "first") };
}

/** The address that was written or visited last. */
let written = "";
/** What was on the stage when it was written: trace, and map; null before the first and after going back. @type {[string, string] | null} */
let stage = null;
let wroteAt = 0;
let timer = 0;
let turn = 0;
let visiting = false;
/** An entry of the history is due, and its address is being made. */
let due = false;

/** The next change of what is on the stage is a place to come back to, however soon it follows the one before. */
export function visit() {
  visiting = true;
}

/** Keeps the address at this moment. Returns what stops it. */
export function followPlace() {
  return effect(() => {
    const trace = opened.value;
    const at = focus.value;
    void cursor.value;
    const still = !playing.value;
    if (!trace) return;
    /** @type {[string, string]} */
    const now = [trace.trace, at ? `${at.node}.${at.channel}` : ""];
    const other = stage !== null && String(stage) !== String(now);
    // what the cursor passes is not a place to come back to, nor is each of the traces that follow quickly while a slider is dragged
    const edited = stage !== null && stage[0] !== now[0] && performance.now() - wroteAt > PAUSE_MS;
    const push = other && (visiting || edited);
    if (other || stage === null) visiting = false;
    stage = now;
    clearTimeout(timer);
    if (push) return void write(true);
    const wait = still ? SETTLE_MS : Math.max(SETTLE_MS, wroteAt + PAUSE_MS - performance.now());
    timer = window.setTimeout(() => void write(false), wait);
  });
}

/** @param {boolean} push */
async function write(push) {
  const mine = ++turn;
  due ||= push;
  wroteAt = performance.now();
  const text = `#${await address()}`;
  if (mine !== turn) return; // the one that overtook it pushes
  const entry = due;
  due = false;
  if (text === location.hash) return;
  written = text;
  if (entry) history.pushState(null, "", text);
  else history.replaceState(null, "", text);
}

/** Called when the user goes back or forward, or changes the address by hand. @param {(place: Place) => void} go */
export function onTravel(go) {
  window.addEventListener("popstate", async () => {
    clearTimeout(timer); // it would write the moment that was left over the one that was asked for
    turn += 1;
    due = false;
    if (location.hash === written) return;
    written = location.hash;
    const place = await parse(location.hash);
    if (!place) return;
    stage = null; // what comes now is an old moment, not a new one
    go(place);
  });
}
