/** What the lab does to a scenario document: kernels of presets, windows, channels. Functions of data, without a screen. */

/** @typedef {import("../types.d.ts").NodeSpec} NodeSpec */
/** @typedef {import("../types.d.ts").ScenarioDoc} ScenarioDoc */
/** @typedef {import("./sizes.js").Window} Window */
/** @typedef {Record<string, Record<string, number[][]>>} Kernels by name, then by size */

/** @type {Window} what PyTorch assumes for what is left out */
const DEFAULTS = { kernel_size: 3, stride: 1, padding: 0, dilation: 1 };

/** @param {NodeSpec} node @returns {Window} */
export function windowOf(node) {
  /** @param {keyof Window} key */
  const one = (key) => Number([node[key] ?? DEFAULTS[key]].flat()[0]);
  return { kernel_size: one("kernel_size"), stride: one("stride"), padding: one("padding"), dilation: one("dilation") };
}

/** The name of the preset that stands in the document, "own" after an edit, "random" without stored values.
 * @param {ScenarioDoc} doc @param {NodeSpec} node @param {Kernels} kernels */
export function kernelOf(doc, node, kernels) {
  const tensor = `${node.name}.weight`;
  const stored = /** @type {number[][][][] | undefined} */ (doc.params?.values?.[tensor]);
  if (doc.params?.edits?.some((edit) => edit.tensor === tensor)) return "own";
  if (!stored) return "random";
  const [channels, k] = [stored[0].length, stored[0][0].length];
  const text = JSON.stringify(stored[0][0]);
  const same = (/** @type {string} */ name) => {
    const kernel = presetKernel(name, k, kernels);
    return kernel !== null && JSON.stringify(spread(kernel, channels)) === text;
  };
  return Object.keys(kernels).find(same) ?? "own";
}

/** A kernel for one of several input channels: each gets its share, so that a grey picture in colour comes out the same. @param {number[][]} kernel @param {number} channels */
function spread(kernel, channels) {
  return kernel.map((row) => row.map((v) => v / channels));
}

/** The preset nearest in size, centred in a frame of zeros when it is smaller. @param {string} name @param {number} k @param {Kernels} kernels @returns {number[][] | null} */
export function presetKernel(name, k, kernels) {
  const sizes = kernels[name] ?? {};
  if (sizes[String(k)]) return sizes[String(k)];
  const smaller = Object.keys(sizes).map(Number).filter((size) => size < k && (k - size) % 2 === 0).sort((a, b) => b - a)[0];
  if (!smaller) return null;
  return framed(sizes[String(smaller)], k);
}

/** A kernel cut or framed with zeros to another size, its middle staying in the middle. @param {number[][]} kernel @param {number} k */
function framed(kernel, k) {
  const edge = Math.floor((k - kernel.length) / 2);
  return Array.from({ length: k }, (_, y) => Array.from({ length: k }, (_, x) => kernel[y - edge]?.[x - edge] ?? 0));
}

/** What the learner typed: the first slice of the stored kernel with its edits; null when it was drawn from a seed.
 * @param {ScenarioDoc} doc @param {string} tensor @returns {number[][] | null} */
function ownKernel(doc, tensor) {
  const stored = /** @type {number[][][][] | undefined} */ (doc.params?.values?.[tensor]);
  if (!stored) return null;
  const kernel = stored[0][0].map((row) => [...row]);
  for (const { tensor: of, cell: [o, c, y, x], value } of doc.params?.edits ?? []) if (of === tensor && o === 0 && c === 0) kernel[y][x] = value;
  return kernel.map((row) => row.map((v) => v * stored[0].length)); // spread() divides it again
}

/**
 * The document with the kernel of a preset in every output channel; without one (random, or no such size) the weights are drawn from the seed again.
 * @param {ScenarioDoc} doc @param {NodeSpec} node with its new settings @param {string} name @param {number} channels of the input
 * @param {Kernels} kernels @returns {ScenarioDoc}
 */
export function withKernel(doc, node, name, channels, kernels) {
  const tensor = `${node.name}.weight`;
  const values = { ...(doc.params?.values ?? {}) };
  const k = windowOf(node).kernel_size;
  const own = name === "own" ? ownKernel(doc, tensor) : null;
  const kernel = own ? framed(own, k) : presetKernel(name, k, kernels);
  delete values[tensor];
  if (kernel) values[tensor] = Array.from({ length: Number(node.out_channels) }, () => Array.from({ length: channels }, () => spread(kernel, channels)));
  const bias = values[`${node.name}.bias`];
  if (Array.isArray(bias)) values[`${node.name}.bias`] = Array.from({ length: Number(node.out_channels) }, (_, o) => bias[o] ?? 0);
  const edits = (doc.params?.edits ?? []).filter((edit) => !edit.tensor.startsWith(`${node.name}.`));
  return { ...doc, network: doc.network.map((one) => (one.name === node.name ? node : one)), params: { ...doc.params, values, edits } };
}

