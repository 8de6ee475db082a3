/** Tensors: coarse thumbnails for the map, the engine's numbers for the stage, by channel where they are many. */
import { FakeSocket, settle } from "./browser.js";
import { f32, frame } from "./frames.js";
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { exactData, opened } from "../../static/js/state.js";
import { connect } from "../../static/js/stream.js";
import { ensure, fetchExact, fetchMap, fetchTensor } from "../../static/js/tensors.js";

const LARGE = [1, 4, 100, 50]; // 80 000 bytes: by channel
const HUGE = [1, 3, 200, 200]; // 480 000 bytes: two frames at least
const trace = /** @type {any} */ ({ trace: "digest", scenario: {}, blocks: [],
  tensors: [["small", [1, 2, 3, 4]], ["large", LARGE], ["huge", HUGE], ["vector", [1, 5000]]].map(([name, shape]) => ({ name, shape, dtype: "float32", min: -3, max: 9 })) });

/** @type {any[]} */
let asked = [];
connect(() => {}, () => {});
FakeSocket.newest.open();

/** The value of every cell is its flat index. @param {any} message */
function reply({ id, name, thumb, slice }) {
  const shape = trace.tensors.find((/** @type {any} */ tensor) => tensor.name === name).shape;
  if (thumb) {
    return frame({ re: id, type: "tensor" }, { [name]: { shape: [1, 2, 1, 3], data: Int8Array.from([0, 127, -127, 64, -128, 1]) },
      [`${name}.min`]: f32([-2, 0]), [`${name}.max`]: f32([1, 127]) });
  }
  const range = slice ?? shape.map((/** @type {number} */ n) => [0, n]);
  let cells = [0];
  range.forEach((/** @type {[number, number]} */ [from, to], /** @type {number} */ d) => {
    cells = cells.flatMap((at) => Array.from({ length: to - from }, (_, i) => at * shape[d] + from + i));
  });
  return frame({ re: id, type: "tensor" }, { [name]: f32(cells, range.map((/** @type {[number, number]} */ [from, to]) => to - from)) });
}

beforeEach(() => {
  asked = [];
  opened.value = trace;
  exactData.value = new Map();
  FakeSocket.onMessage = (message, socket) => {
    asked.push(message);
    socket.answer(reply(message));
  };
});

test("a thumbnail's codes become numbers on the scale of each map; what was not finite is NaN", async () => {
  const view = await fetchMap(trace, "large");
  assert.deepEqual([view.thumb, view.shape, view.min, view.max], [true, [1, 2, 1, 3], -3, 9]);
  assert.deepEqual([...view.data].map((v) => Math.round(v * 1e4) / 1e4), [0, 2, -2, 64, NaN, 1]);
  assert.deepEqual(view.ranges, [{ min: -2, max: 1 }, { min: 0, max: 127 }]);
});

test("small maps and vectors come whole", async () => {
  for (const name of ["small", "vector"]) {
    const view = await fetchMap(trace, name);
    assert.equal(view.thumb, false);
    assert.equal(view.data[17], 17);
  }
  assert.ok(asked.every(({ thumb }) => thumb === undefined));
});

test("a tensor too large for a frame is joined from slices", async () => {
  const view = await fetchTensor(trace, "huge");
  assert.ok(asked.length > 1);
  assert.equal(view.data.length, 120_000);
  assert.ok(view.data.every((v, i) => v === i));
});

test("the same tensor is not fetched twice at once", async () => {
  const [a, b] = await Promise.all([fetchTensor(trace, "small"), fetchTensor(trace, "small")]);
  assert.equal(a, b);
  assert.equal(asked.length, 1);
});

test("of a large tensor one channel comes, and later ones join it", async () => {
  const first = await fetchExact(trace, "large", 2);
  assert.equal(first.data[2 * 5000 + 7], 10_007);
  assert.ok(Number.isNaN(first.data[0]));
  const both = await fetchExact(trace, "large", 0, first);
  assert.deepEqual([both.data[7], both.data[10_007]], [7, 10_007]);
  assert.deepEqual([...(both.planes ?? [])].sort(), [0, 2]);
});

test("what a step reads is brought once, by channel or whole", async () => {
  await Promise.all([ensure("large", 1), ensure("large", 1), ensure("large", 3)]);
  await settle();
  assert.equal(asked.length, 2);
  const view = exactData.value.get("large");
  assert.deepEqual([view?.data[5000], view?.data[15_000]], [5000, 15_000]);
  await ensure("large", 1);
  assert.equal(asked.length, 2);
  await ensure("large", null);
  assert.equal(exactData.value.get("large")?.planes, undefined);
  assert.equal(exactData.value.get("large")?.data[0], 0);
});

test("numbers of a trace that was left meanwhile are dropped; unknown names ask nothing", async () => {
  const late = ensure("small", null);
  opened.value = { ...trace, trace: "another" };
  await late;
  assert.equal(exactData.value.has("small"), false);
  await ensure("nothing", null);
  assert.equal(asked.length, 1);
});
