/** Steps cut out of windows, and the cache of windows. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decode } from "../../../static/js/lib/wire.js";
import { stepOf, WindowCache, windowOf } from "../../../static/js/lib/windows.js";
import { f32, f64, frame, i32 } from "../frames.js";

const block = /** @type {any} */ ({
  node: "conv1", writes: "conv1.out", start: 100, stop: 108, shape: [1, 2, 2, 2], extra: ["rest"],
  roles: [{ name: "x" }, { name: "w" }], addends: [{ name: "b" }],
});

/** Steps 102 and 103 of the block; all use the same weights, sent once. */
function window() {
  return windowOf(decode(frame({ re: 1, type: "steps", start: 102, stop: 104, block: 0 }, {
    cell: i32([2, 3]), result: f32([1.5, 2.5]), term: f32([1, 0.25, 2, 0.5], [2, 2]),
    "x.index": i32([0, -1, 1, 2], [2, 2]), "x.value": f32([2, 0, 4, 1], [2, 2]),
    "w.index": i32([5, 6], [1, 2]), "w.value": f32([0.5, 0.5], [1, 2]),
    "b.index": i32([0], [1, 1]), "b.value": f32([0.25], [1, 1]),
    "extra.rest": f64([7, 8]), combined: f64([1.5, 2.5]), residual: f64([0, 1e-9]), partial: f64([1, 2, 3, 4], [2, 2]),
  })), [block]);
}

test("a step is a row of every column", () => {
  const step = stepOf(window(), 103);
  assert.deepEqual(step.cell, [0, 0, 1, 1]);
  assert.equal(step.result, 2.5);
  assert.deepEqual([...step.terms], [2, 0.5]);
  assert.deepEqual([...step.roles.x.index], [1, 2]);
  assert.deepEqual([...step.roles.w.index], [5, 6]);
  assert.deepEqual([...step.addends.b.value], [0.25]);
  assert.deepEqual([...(step.partial ?? [])], [3, 4]);
  assert.equal(step.rest, 8);
  assert.equal(step.residual, 1e-9);
  assert.equal(step.block, block);
});

test("what a block does not have is empty, not wrong", () => {
  const bare = windowOf(decode(frame({ start: 0, stop: 1, block: 0 }, { cell: i32([0]), result: f32([1]), term: f32([1], [1, 1]), combined: f64([1]), residual: f64([0]) })),
    [/** @type {any} */ ({ start: 0, stop: 1, shape: [1, 1], roles: [], addends: [] })]);
  const step = stepOf(bare, 0);
  assert.equal(step.partial, null);
  assert.equal(step.rest, 0);
  assert.deepEqual(step.roles, {});
});

/** @param {number} start @param {number} stop @param {number} bytes */
const blank = (start, stop, bytes) => /** @type {any} */ ({ start, stop, block, columns: { x: { shape: [1], data: new Float32Array(bytes / 4) } } });

test("the cache finds the window of a step and forgets the oldest when full", () => {
  const cache = new WindowCache(1000);
  cache.add(blank(0, 10, 400));
  cache.add(blank(10, 20, 400));
  assert.equal(cache.find(9)?.start, 0);
  assert.equal(cache.find(10)?.start, 10);
  assert.equal(cache.find(20), undefined);
  cache.add(blank(20, 30, 400));
  assert.equal(cache.find(9), undefined);
  assert.equal(cache.find(25)?.start, 20);
  assert.ok(cache.bytes <= 1000);
});

test("many small windows are forgotten, too, and the bytes are counted right", () => {
  const cache = new WindowCache();
  for (let i = 0; i < 500; i++) cache.add(blank(i, i + 1, 8));
  assert.equal(cache.list.length, 200);
  assert.equal(cache.bytes, 1600);
  cache.add(blank(0, 1000, 16));
  assert.equal(cache.bytes, 16);
});

test("one window is kept however large it is, a window inside a newer one is not", () => {
  const cache = new WindowCache(1000);
  cache.add(blank(0, 10, 4000));
  assert.equal(cache.find(5)?.stop, 10);
  cache.clear();
  assert.equal(cache.bytes, 0);
  cache.add(blank(4, 8, 400));
  cache.add(blank(0, 10, 400));
  assert.equal(cache.list.length, 1);
});

test("windows that hold only the largest terms go when somebody stops to look", () => {
  const cache = new WindowCache();
  const wide = (/** @type {number} */ start, /** @type {number} */ terms) => /** @type {any} */ ({
    start, stop: start + 1, block: { term_shape: [["c", 10], ["k", 100]] }, columns: { term: { shape: [1, terms], data: new Float32Array(terms) } } });
  cache.add(wide(0, 1000));
  cache.add(wide(1, 64));
  assert.equal(cache.dropPartial(), true);
  assert.deepEqual([cache.find(0)?.start, cache.find(1)], [0, undefined]);
  assert.equal(cache.bytes, 4000);
  assert.equal(cache.dropPartial(), false);
});
