/** Coordinates, blocks, and moves by step, row, channel and layer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { blockAt, moved, nearest, ravel, unravel } from "../../../static/js/lib/cells.js";

/** conv1.out 1×2×3×4 (24 steps), relu1.out the same, then softmax in two blocks of 1×5. */
const blocks = /** @type {import("../../../static/js/types.d.ts").Block[]} */ ([
  { node: "conv1", start: 0, stop: 24, shape: [1, 2, 3, 4] },
  { node: "relu1", start: 24, stop: 48, shape: [1, 2, 3, 4] },
  { node: "softmax", start: 48, stop: 53, shape: [1, 5] },
  { node: "softmax", start: 53, stop: 58, shape: [1, 5] },
]);

test("flat and coordinates are inverse", () => {
  assert.deepEqual(unravel(17, [1, 2, 3, 4]), [0, 1, 1, 1]);
  for (let i = 0; i < 24; i++) assert.equal(ravel(unravel(i, [1, 2, 3, 4]), [1, 2, 3, 4]), i);
  assert.deepEqual(unravel(2 ** 40 + 3, [2 ** 30, 2 ** 11]), [2 ** 29, 3]); // beyond 32 bits
});

test("the nearest cell of a smaller map", () => {
  assert.deepEqual(nearest([0, 7, 30, 2], [1, 8, 20, 20]), [0, 7, 19, 2]);
  assert.deepEqual(nearest([0, 3], [1, 4, 2, 2]), [0, 3, 0, 0]);
});

test("every step has its block, none outside", () => {
  for (let step = 0; step < 58; step++) {
    const { start, stop } = blocks[blockAt(blocks, step)];
    assert.ok(start <= step && step < stop);
  }
  assert.equal(blockAt(blocks, -1), -1);
  assert.equal(blockAt(blocks, 58), -1);
  assert.equal(blockAt([], 0), -1);
});

test("by step, to the ends and no further", () => {
  assert.equal(moved(blocks, 5, "step", 1), 6);
  assert.equal(moved(blocks, 0, "step", -1), 0);
  assert.equal(moved(blocks, 57, "step", 1), 57);
});

test("by row: on to the next row, back to the start of this one, then of the one before", () => {
  assert.equal(moved(blocks, 5, "row", 1), 8);
  assert.equal(moved(blocks, 6, "row", -1), 4);
  assert.equal(moved(blocks, 4, "row", -1), 0);
  assert.equal(moved(blocks, 22, "row", 1), 24); // the last row leads into the next layer
  assert.equal(moved(blocks, 24, "row", -1), 20);
  assert.equal(moved(blocks, 0, "row", -1), 0);
});

test("by channel, over the border of layers", () => {
  assert.equal(moved(blocks, 3, "channel", 1), 12);
  assert.equal(moved(blocks, 15, "channel", 1), 24);
  assert.equal(moved(blocks, 24, "channel", -1), 12);
  assert.equal(moved(blocks, 13, "channel", -1), 12);
  assert.equal(moved(blocks, 50, "channel", -1), 48);
});

test("by layer: all blocks of a node are one layer", () => {
  assert.equal(moved(blocks, 5, "layer", 1), 24);
  assert.equal(moved(blocks, 30, "layer", 1), 48);
  assert.equal(moved(blocks, 55, "layer", -1), 48);
  assert.equal(moved(blocks, 48, "layer", -1), 24);
  assert.equal(moved(blocks, 50, "layer", 1), 57); // no layer after it: its last step
});
