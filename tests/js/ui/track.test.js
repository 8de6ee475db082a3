import assert from "node:assert/strict";
import { test } from "node:test";
import { segmentOf, segments, shareOf, stepAt, stretch } from "../../../static/js/ui/track.js";

const BLOCKS = [
  { node: "conv1", phase: "forward", start: 0, stop: 30752 }, { node: "relu1", phase: "forward", start: 30752, stop: 61504 },
  { node: "softmax", phase: "forward", start: 61504, stop: 61505 }, { node: "softmax", phase: "forward", start: 61505, stop: 61515 },
];

test("blocks of one node are one segment, and the segments fill the track", () => {
  const list = segments(BLOCKS);
  assert.deepEqual(list.map(({ node, start, stop }) => [node, start, stop]), [["conv1", 0, 30752], ["relu1", 30752, 61504], ["softmax", 61504, 61515]]);
  assert.equal(list[0].x0, 0);
  assert.ok(Math.abs((list.at(-1)?.x1 ?? 0) - 1) < 1e-12);
});

test("a layer of eleven steps is still wide enough to hit", () => {
  const [, , small] = segments(BLOCKS);
  assert.ok(small.x1 - small.x0 > 0.06);
});

test("step → share → step comes back", () => {
  const list = segments(BLOCKS);
  for (const step of [0, 1, 15000, 30751, 30752, 61503, 61504, 61514]) assert.equal(stepAt(list, shareOf(list, step) + 1e-9), step);
  assert.equal(stepAt(list, 1), 61514);
  assert.equal(segmentOf(list, 99999999)?.node, "softmax");
});

test("the finer scrubber covers one channel of maps and the whole of a vector", () => {
  /** @type {{start: number, stop: number, loops: [string, number][]}} */
  const conv = { start: 100, stop: 100 + 2 * 3 * 4, loops: [["n", 1], ["o", 2], ["y", 3], ["x", 4]] };
  assert.deepEqual(stretch(conv, 100 + 12 + 5), { start: 112, stop: 124, row: 1, rows: 3, channel: 1 });
  assert.deepEqual(stretch({ start: 7, stop: 17, loops: [["n", 1], ["o", 10]] }, 9), { start: 7, stop: 17, row: 2, rows: 10, channel: null });
});
