/** Addresses: there and back, and when the history gets a new entry. */
import { FakeSocket, listeners, PENCIL, PRESET, runTimers, settle, until, written } from "./browser.js";
import { Server } from "./server.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import * as actions from "../../static/js/actions.js";
import { followPlace, onTravel, parse } from "../../static/js/link.js";
import * as state from "../../static/js/state.js";
import { followCursor, pushed } from "../../static/js/steps.js";
import { connect } from "../../static/js/stream.js";

new Server();
connect(pushed, () => {});
FakeSocket.newest.open();
followCursor();
followPlace();
onTravel((place) => void actions.travel(place));

/** Lets the address come to rest. */
async function rest(ms = 2000) {
  await settle();
  runTimers(ms);
  await settle();
}

test("a preset with a sample has a short address, readable by people", async () => {
  await actions.openPreset("tiny_vgg");
  await rest();
  assert.equal(location.hash, "#net=tiny_vgg&image=scene&step=0&map=conv1.0");
  const place = await parse(location.hash);
  assert.deepEqual(place, { doc: PRESET.scenario, digest: null, preset: "tiny_vgg", iterations: 0, step: 0, focus: { node: "conv1", channel: 0 } });
});

test("a step of the cursor replaces, a map pushes, however soon", async () => {
  written.length = 0;
  actions.seek(45); // in another layer: passed, not visited
  await rest();
  actions.seek(2);
  await rest();
  actions.focusMap("relu1", 0);
  await settle();
  actions.focusMap("relu1", 1);
  await rest();
  assert.deepEqual(written.map((line) => line.replace(/#.*(?=map)/, "")), ["replace map=relu1.1", "replace map=conv1.0", "push map=relu1.0", "push map=relu1.1"]);
});

test("back leads to the moment before, without an entry of its own", async () => {
  written.length = 0;
  location.hash = "#net=tiny_vgg&image=scene&step=2&map=conv1.0";
  listeners.popstate[0]({});
  await rest();
  assert.equal(state.cursor.value, 2);
  assert.deepEqual(state.focus.value, { node: "conv1", channel: 0, phase: "forward" });
  assert.deepEqual(written, []);
});

test("a moment that was about to be written does not overwrite the one gone back to", async () => {
  actions.seek(9);
  location.hash = "#net=tiny_vgg&image=rings&step=1";
  listeners.popstate[0]({});
  await rest();
  assert.equal(location.hash, "#net=tiny_vgg&image=rings&step=1");
  assert.equal(state.opened.value?.scenario.input?.image, "sha256:rings");
  assert.equal(state.focus.value, null);
});

test("an edited document travels in the address, whole", async () => {
  await actions.openPreset("pencil");
  await actions.edit("conv1.weight", [0, 0], 0.5);
  await rest();
  await until(() => location.hash.includes("doc="));
  const place = await parse(location.hash);
  assert.deepEqual(place?.doc, { ...PENCIL.scenario, params: { edits: [{ tensor: "conv1.weight", cell: [0, 0], value: 0.5 }] } });
  assert.equal(place?.preset, "pencil");
});

test("edits in quick succession are one entry of the history", async () => {
  await rest();
  written.length = 0;
  for (const value of [1, 2, 3]) {
    await actions.edit("conv1.weight", [0, 0], value);
    await settle();
    runTimers(100);
  }
  await rest();
  const value = async () => (await parse(location.hash))?.doc?.params?.edits?.[0].value;
  for (let i = 0; i < 100 && (await value()) !== 3; i++) await settle();
  assert.equal(await value(), 3);
  assert.equal(written.filter((line) => line.startsWith("push")).length, 1);
});

test("a document too long for an address is named by its digest", async () => {
  const values = Array.from({ length: 4000 }, (_, i) => Math.sin(i * i));
  await actions.openScenario({ ...PENCIL.scenario, params: { values: { "conv1.weight": values } } });
  await rest();
  await until(() => location.hash.includes("trace="));
  const place = await parse(location.hash);
  assert.equal(place?.doc, null);
  assert.equal(place?.digest, state.opened.value?.trace);
});

test("strange addresses are no places; a mangled document falls back to its network", async () => {
  assert.equal(await parse(""), null);
  assert.equal(await parse("#about"), null);
  assert.equal((await parse("#net=pencil"))?.focus, "first");
  assert.equal(await parse("#net=nothing&step=3"), null);
  const place = await parse("#net=pencil&doc=%%%&step=-4x&map=conv1");
  assert.deepEqual([place?.doc, place?.step, place?.focus], [PENCIL.scenario, 0, null]);
});
