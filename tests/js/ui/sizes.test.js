import assert from "node:assert/strict";
import { test } from "node:test";
import { bounds, outSize, sizeFormula } from "../../../static/js/ui/sizes.js";

const PLAIN = { kernel_size: 3, stride: 1, padding: 0, dilation: 1 };

test("output sizes: hand-computed", () => {
  assert.equal(outSize(64, PLAIN), 62);
  assert.equal(outSize(7, { kernel_size: 3, stride: 2, padding: 1, dilation: 2 }), 3); // ⌊(7 + 2 − 4 − 1) / 2⌋ + 1
  assert.equal(sizeFormula(64, PLAIN), "⌊(64 + 2·0 − 1·(3 − 1) − 1) / 1⌋ + 1 = 62");
});

test("every setting inside the bounds gives an output, the next one outside does not", () => {
  for (const n of [1, 2, 5, 32]) for (const padding of [0, 2]) for (const dilation of [1, 3]) {
    const w = { kernel_size: 1, stride: 1, padding, dilation };
    const { max, narrowed } = bounds("kernel_size", n, w, "zeros");
    assert.ok(outSize(n, { ...w, kernel_size: max }) >= 1);
    if (narrowed) assert.ok(outSize(n, { ...w, kernel_size: max + 1 }) < 1, `${n} ${padding} ${dilation} ${max}`);
    else assert.equal(max, 7);
  }
});

test("reflection needs a pixel more than it adds; less padding must not make a fitting kernel too large", () => {
  assert.deepEqual(bounds("padding", 3, PLAIN, "reflect"), { min: 0, max: 2, narrowed: true });
  assert.deepEqual(bounds("padding", 5, { ...PLAIN, kernel_size: 7, padding: 1 }, "zeros"), { min: 1, max: 3, narrowed: true });
});
