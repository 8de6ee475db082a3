/** What the user does, down to the messages: scenarios, refusals, cursor, playing, and what survives a break. */
import { FakeSocket, PRESET, runTimers, settle, tick } from "./browser.js";
import { Server, window } from "./server.js";
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import * as actions from "../../static/js/actions.js";
import { reopen } from "../../static/js/open.js";
import * as state from "../../static/js/state.js";
import { followCursor, pushed, resumePlay } from "../../static/js/steps.js";
import { connect } from "../../static/js/stream.js";

state.catalogue.value = { "here.": "a refusal waits until there are strings" };
let server = new Server();
connect(pushed, () => void reopen().then(resumePlay));
FakeSocket.newest.open();
followCursor();

/** A step's place on the screen. */
const place = () => [state.cursor.value, state.focus.value?.node, state.focus.value?.channel, state.stepData.value?.index];

/** What is said to the user now. */
const said = () => state.notice.value;

beforeEach(async () => {
  actions.pause();
  server = new Server();
  await actions.openPreset("tiny_vgg");
  await settle();
  server.seen = [];
});

test("a preset comes with its maps and its first step in one go", () => {
  assert.equal(state.opened.value?.steps, 48);
  assert.deepEqual([...state.mapData.value.keys()].sort(), ["conv1.out", "input", "relu1.out"]);
  assert.deepEqual(place(), [0, "conv1", 0, 0]);
  assert.equal(state.pending.value, false);
  assert.equal(state.scenario.value?.dtype, "float32");
  assert.deepEqual(state.asked.value, PRESET.scenario);
});

test("seeking takes the focus along; a step that is here asks nothing", async () => {
  actions.seek(3);
  assert.deepEqual(place(), [3, "conv1", 0, 3]);
  assert.deepEqual(server.of("steps"), []);
  actions.seek(37);
  await settle();
  assert.deepEqual(place(), [37, "relu1", 1, 37]);
  assert.deepEqual(server.of("steps").map(({ start, lane }) => [start, lane]), [[24, "scrub"]]);
  actions.seek(1e9);
  assert.equal(state.cursor.value, 47);
});

test("a drag keeps at most two requests under way and ends at the newest wish", async () => {
  const socket = FakeSocket.newest;
  server.silent.add("steps");
  for (const step of [26, 30, 34, 38, 42]) actions.seek(step);
  await settle();
  const under = server.of("steps");
  assert.equal(under.length, 2);
  server.silent.delete("steps");
  for (const { id, start, stop } of under) socket.answer(window(id, start, Math.min(48, stop)));
  await settle();
  assert.deepEqual(place(), [42, "relu1", 1, 42]);
  assert.ok(server.of("steps").length <= 3);
});

test("moves by unit open the stage", async () => {
  actions.unfocus();
  assert.equal(state.focus.value, null);
  actions.move("row", 1);
  await settle();
  assert.deepEqual(place(), [4, "conv1", 0, 4]);
  actions.move("layer", 1);
  actions.move("channel", 1);
  await settle();
  assert.deepEqual(place(), [36, "relu1", 1, 36]);
});

test("a click on a map goes to its first step, but not when the cursor is in it", async () => {
  actions.focusMap("relu1", 1);
  assert.equal(state.cursor.value, 36);
  actions.seek(40);
  actions.focusMap("relu1", 1);
  assert.equal(state.cursor.value, 40);
});

test("a cell leads to the step that wrote it", async () => {
  await actions.jumpTo("relu1.out", 17);
  assert.deepEqual(place().slice(0, 3), [41, "relu1", 1]);
});

test("edits add up, replace one another by cell, and keep the place", async () => {
  actions.seek(30);
  await Promise.all([actions.edit("conv1.weight", [0, 0], 1), actions.edit("conv1.weight", [0, 1], 2)]);
  await actions.edit("conv1.weight", [0, 0], 3);
  await settle();
  assert.deepEqual(state.asked.value?.params?.edits, [{ tensor: "conv1.weight", cell: [0, 1], value: 2 }, { tensor: "conv1.weight", cell: [0, 0], value: 3 }]);
  assert.deepEqual(place().slice(0, 3), [30, "relu1", 0]);
  await actions.resetEdits();
  assert.deepEqual(state.asked.value?.params?.edits, []);
});

test("a refusal names the field and leaves the last good state, and the next action builds on that", async () => {
  const good = state.opened.value;
  await actions.setNode("conv1", { kernel_size: 11 });
  assert.equal(state.opened.value, good);
  assert.deepEqual(state.fieldError.value, { path: "network[0].kernel_size", message: "kernel_size 11 exceeds 9" });
  assert.equal(said()?.level, "error");
  await actions.setNode("conv1", { kernel_size: 5 });
  assert.equal(state.fieldError.value, null);
  assert.equal(said(), null);
  assert.equal(state.asked.value?.network[0].kernel_size, 5);
});

test("only the newest of several openings changes the screen", async () => {
  await Promise.all([actions.openPreset("pencil"), actions.openPreset("tiny_vgg"), actions.setImage("sha256:rings")]);
  assert.equal(state.preset.value, "tiny_vgg");
  assert.equal(state.opened.value?.scenario.input?.image, "sha256:rings");
});

test("a server that forgot the trace computes it again and nobody notices", async () => {
  server.traces.clear();
  actions.seek(33);
  await settle();
  assert.deepEqual(server.seen.map(({ type }) => type), ["steps", "open", "steps"]);
  assert.equal(state.stepData.value?.index, 33);
  assert.equal(said(), null);
});

test("playing follows the clock through the windows that come, and the focus goes along", async () => {
  const socket = FakeSocket.newest;
  actions.setSpeed(100);
  actions.play();
  const [play] = server.of("play");
  assert.deepEqual([play.start, play.rate], [0, 100]);
  assert.deepEqual(server.of("credit").map(({ n }) => n), [4]);
  tick(100);
  assert.equal(state.cursor.value, 0); // nothing has come
  socket.answer(window(play.id, 0, 12));
  socket.answer(window(play.id, 12, 24));
  tick(50);
  assert.deepEqual(place(), [5, "conv1", 0, 5]);
  tick(120);
  assert.deepEqual(place(), [17, "conv1", 1, 17]);
  assert.equal(server.of("credit").reduce((sum, { n }) => sum + n, 0), 5); // one window was passed
  socket.answer(window(play.id, 24, 36));
  socket.answer(window(play.id, 36, 48));
  tick(1000);
  assert.equal(state.cursor.value, 47);
  assert.equal(state.playing.value, false);
  tick(100);
});

test("a seek while playing plays on from there; windows of the old place are not taken for new ones", () => {
  actions.setSpeed(100);
  actions.play();
  actions.seek(30);
  const [old, now] = server.of("play");
  FakeSocket.newest.answer(window(old.id, 0, 24));
  assert.equal(now.start, 30);
  tick(100);
  assert.equal(state.cursor.value, 30);
  FakeSocket.newest.answer(window(now.id, 30, 48));
  tick(30);
  assert.equal(state.cursor.value, 33);
});

test("fast playing runs by the clock and never far ahead of the ticks", () => {
  actions.setSpeed(5000);
  actions.play();
  const [play] = server.of("play");
  assert.deepEqual(server.of("credit"), []);
  tick(10);
  assert.deepEqual(place(), [0, "conv1", 0, 0]);
  FakeSocket.newest.answer({ re: play.id, type: "tick", step: 1 });
  tick(10);
  assert.equal(state.cursor.value, 47); // 48 steps last 10 ms
  assert.equal(state.playing.value, false);
});

test("after a break the trace is computed again, the place stays, and playing goes on with new credits", async () => {
  actions.setSpeed(100);
  await actions.edit("conv1.weight", [0, 0], 7);
  actions.seek(10);
  actions.play();
  server.traces.clear();
  FakeSocket.newest.drop();
  runTimers(8000);
  server.seen = [];
  FakeSocket.newest.open();
  await settle();
  assert.equal(server.seen[0].type, "open");
  assert.deepEqual(server.seen[0].scenario.params.edits, [{ tensor: "conv1.weight", cell: [0, 0], value: 7 }]);
  assert.equal(server.of("play").at(-1).start, 10);
  assert.deepEqual(server.of("credit").map(({ n }) => n), [4]);
  assert.equal(state.cursor.value, 10);
});

test("a picture that a new server does not have is sent again from this page; a stranger's is said to be gone", async (context) => {
  const posts = context.mock.method(globalThis, "fetch", async () => {
    server.lost.delete("sha256:mine");
    return new Response(JSON.stringify({ id: "sha256:mine", frames: 1 }));
  });
  await actions.uploadImage(new Blob(["x"]));
  assert.equal(state.asked.value?.input?.image, "sha256:mine");
  server.lost.add("sha256:mine");
  await actions.edit("conv1.weight", [0, 0], 1);
  assert.equal(posts.mock.callCount(), 2);
  assert.equal(said(), null);
  assert.equal(state.asked.value?.params?.edits?.length, 1);
  server.lost.add("sha256:theirs");
  const there = { ...PRESET.scenario, input: { ...PRESET.scenario.input, image: "sha256:theirs" } };
  assert.equal(await actions.travel({ doc: there, digest: null, preset: "tiny_vgg", iterations: 0, step: 5, focus: null }), true);
  assert.equal(said()?.text, "error.image_gone");
  assert.equal(state.opened.value?.scenario.input?.image, "sha256:scene");
  assert.equal(state.cursor.value, 5);
  context.mock.restoreAll();
});

test("an upload that is refused leaves everything and says why", async (context) => {
  const before = state.opened.value;
  context.mock.method(globalThis, "fetch", async () => new Response(JSON.stringify({ code: "E_IMAGE", reason: "type", message: "this is a PDF; use PNG" }), { status: 422 }));
  assert.equal(await actions.uploadImage(new Blob(["x"])), false);
  assert.equal(said()?.text, "this is a PDF; use PNG");
  assert.equal(await actions.uploadImage(new Blob(["x".repeat(1001)])), false);
  assert.equal(said()?.text, "error.image_large");
  assert.equal(state.opened.value, before);
  context.mock.restoreAll();
});

test("a link to a trace that is gone opens the first screen and says why", async () => {
  globalThis.location.hash = "#trace=" + "0".repeat(64) + "&step=3";
  await actions.begin();
  assert.equal(state.opened.value?.scenario.network.length, 2);
  assert.deepEqual(said(), { level: "error", text: "not here (any more)", field: undefined, sticky: true });
});
