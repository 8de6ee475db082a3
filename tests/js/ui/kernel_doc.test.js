import assert from "node:assert/strict";
import { test } from "node:test";
import { kernelOf, presetKernel, withKernel } from "../../../static/js/ui/kernel_doc.js";

const KERNELS = { identity: { 3: [[0, 0, 0], [0, 1, 0], [0, 0, 0]], 1: [[1]] }, sobel_x: { 3: [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]] } };
const NODE = { name: "conv1", kind: "conv2d", out_channels: 2, kernel_size: 3 };
const DOC = { network: [NODE], params: { seed: 1 } };

test("a preset is written into every output channel, shared among the input channels", () => {
  const doc = withKernel(DOC, NODE, "sobel_x", 2, KERNELS);
  const weight = /** @type {number[][][][]} */ (doc.params?.values?.["conv1.weight"]);
  assert.equal(weight.length, 2);
  assert.deepEqual(weight[1][1], [[-0.5, 0, 0.5], [-1, 0, 1], [-0.5, 0, 0.5]]);
  assert.equal(kernelOf(doc, NODE, KERNELS), "sobel_x");
});

test("a larger window frames the kernel with zeros and is still that kernel", () => {
  assert.deepEqual(presetKernel("sobel_x", 5, KERNELS)?.[2], [0, -2, 0, 2, 0]);
  const node = { ...NODE, kernel_size: 5 };
  assert.equal(kernelOf(withKernel(DOC, node, "sobel_x", 1, KERNELS), node, KERNELS), "sobel_x");
});

test("random drops the stored values; what was typed survives a change of size", () => {
  const stored = withKernel(DOC, NODE, "sobel_x", 1, KERNELS);
  assert.equal(withKernel(stored, NODE, "random", 1, KERNELS).params?.values?.["conv1.weight"], undefined);
  const edited = { ...stored, params: { ...stored.params, edits: [{ tensor: "conv1.weight", cell: [0, 0, 1, 1], value: 9 }] } };
  assert.equal(kernelOf(edited, NODE, KERNELS), "own");
  const wider = withKernel(edited, { ...NODE, kernel_size: 5 }, "own", 1, KERNELS);
  assert.deepEqual(/** @type {number[][][][]} */ (wider.params?.values?.["conv1.weight"])[0][0][2], [0, -2, 9, 2, 0]);
  assert.deepEqual(wider.params?.edits, []);
});
