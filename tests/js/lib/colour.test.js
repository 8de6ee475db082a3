/** The scales: ends, middle, symmetry of brightness, both themes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { lut } from "../../../static/js/lib/colour.js";

/** @param {Uint8ClampedArray} table @param {number} i */
const hex = (table, i) => `#${[...table.subarray(4 * i, 4 * i + 3)].map((v) => v.toString(16).padStart(2, "0")).join("")}`;
/** @param {Uint8ClampedArray} table @param {number} i */
const light = (table, i) => 0.2126 * table[4 * i] + 0.7152 * table[4 * i + 1] + 0.0722 * table[4 * i + 2];
const ACCENTS = /** @type {const} */ (["value", "weight", "grad"]);

test("the ends are the colours of the roles", () => {
  assert.deepEqual(ACCENTS.map((accent) => [hex(lut(accent, "light"), 0), hex(lut(accent, "light"), 255)]),
    [["#b2182b", "#2166ac"], ["#a3247d", "#01665e"], ["#542788", "#b35806"]]);
});

for (const accent of ACCENTS) {
  test(`${accent}: zero recedes in both themes, and each side goes one way`, () => {
    assert.ok(light(lut(accent, "light"), 127) > 235);
    assert.ok(light(lut(accent, "dark"), 127) < 45);
    const table = lut(accent, "light");
    for (let i = 0; i < 126; i++) assert.ok(light(table, i) <= light(table, i + 1) + 1, `negative side at ${i}`);
    for (let i = 129; i < 255; i++) assert.ok(light(table, i) >= light(table, i + 1) - 1, `positive side at ${i}`);
  });
}

test("every entry is opaque, and a table is made once", () => {
  const table = lut("value", "dark");
  assert.equal(table.length, 1024);
  for (let i = 0; i < 256; i++) assert.equal(table[4 * i + 3], 255);
  assert.equal(lut("value", "dark"), table);
});
