/** Frames: typed arrays over the frame's own bytes, whatever the columns. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decode } from "../../../static/js/lib/wire.js";
import { f32, f64, frame, i32 } from "../frames.js";

test("columns come back with their shapes and values, and nothing is copied", () => {
  const buffer = frame({ re: 7, type: "steps" }, { cell: i32([0, 1, 2]), term: f32([0.5, -1, 2, 3, 4, 5], [3, 2]), combined: f64([1, 2, 3]) });
  const { meta, columns } = decode(buffer);
  assert.deepEqual(meta, { re: "7", type: "steps" });
  assert.deepEqual([...columns.cell.data], [0, 1, 2]);
  assert.deepEqual(columns.term.shape, [3, 2]);
  assert.deepEqual([...columns.term.data], [0.5, -1, 2, 3, 4, 5]);
  assert.deepEqual([...columns.combined.data], [1, 2, 3]);
  for (const { data } of Object.values(columns)) assert.equal(data.buffer, buffer);
});

test("an empty column is legal", () => {
  const { columns } = decode(frame({}, { term: f32([], [4, 0]), cell: i32([1]) }));
  assert.equal(columns.term.data.length, 0);
  assert.deepEqual(columns.term.shape, [4, 0]);
});

test("special numbers survive", () => {
  const { columns } = decode(frame({}, { x: f32([NaN, -Infinity, -0]) }));
  assert.ok(Number.isNaN(columns.x.data[0]) && columns.x.data[1] === -Infinity && Object.is(columns.x.data[2], -0));
});

test("a frame cut short and an unknown type are refused", () => {
  const buffer = frame({}, { x: f32([1, 2]) });
  assert.throws(() => decode(buffer.slice(0, 20)), /header of/);
  assert.throws(() => decode(buffer.slice(0, buffer.byteLength - 4)), RangeError);
  const text = new TextEncoder().encode('{"x":{"dtype":"Q8","shape":[0],"data_offsets":[0,0]}}   ');
  const odd = new Uint8Array(8 + text.length);
  new DataView(odd.buffer).setBigUint64(0, BigInt(text.length), true);
  odd.set(text, 8);
  assert.throws(() => decode(odd.buffer), /unknown type Q8/);
});
