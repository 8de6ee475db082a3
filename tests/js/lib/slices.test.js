/** Tensors cut to frames: every cell once, in order, no piece too large. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { slices } from "../../../static/js/lib/slices.js";

/** Flat indices of a piece, in the order in which the server sends them. @param {[number, number][]} piece @param {number[]} shape */
function cells(piece, shape) {
  let flat = [0];
  piece.forEach(([from, to], d) => {
    flat = flat.flatMap((at) => Array.from({ length: to - from }, (_, i) => at * shape[d] + from + i));
  });
  return flat;
}

test("a small tensor is asked for whole", () => {
  assert.deepEqual(slices([1, 8, 62, 62], 4), [null]);
});

for (const [shape, most] of /** @type {[number[], number][]} */ ([[[1, 6, 5, 4], 100], [[2, 3, 4, 4], 128], [[1, 2, 9, 9], 60], [[37], 40], [[1, 1, 3, 50], 120], [[1, 2, 2, 7], 8]])) {
  test(`${shape.join("×")} in pieces of ${most} bytes`, () => {
    const pieces = slices(shape, 4, most).map((piece) => cells(/** @type {[number, number][]} */ (piece), shape));
    assert.deepEqual(pieces.flat(), Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i));
    for (const piece of pieces) assert.ok(piece.length * 4 <= most);
  });
}
