/** Documents in addresses. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pack, unpack } from "../../../static/js/lib/pack.js";

test("what goes in comes out, in letters that an address takes as they are", async () => {
  const doc = { version: 1, network: [{ name: "conv1", kind: "conv2d", kernel_size: [3, 5] }], note: "卷积 − ≤ ?&=#", values: [0.1, -1e-7, 1 / 3] };
  const text = await pack(doc);
  assert.match(text, /^[A-Za-z0-9_-]+$/);
  assert.deepEqual(await unpack(text), doc);
});

test("a long document becomes short", async () => {
  const doc = { network: Array.from({ length: 40 }, (_, i) => ({ name: `conv${i}`, kind: "conv2d", out_channels: 8, kernel_size: 3 })) };
  assert.ok((await pack(doc)).length < JSON.stringify(doc).length / 4);
});

test("a link cut short or mangled is refused", async () => {
  const text = await pack({ network: [1, 2, 3, 4, 5, 6, 7, 8] });
  await assert.rejects(unpack(text.slice(0, text.length / 2)));
  await assert.rejects(unpack("%%%"));
});
