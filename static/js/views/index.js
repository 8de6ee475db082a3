/** One view per kind, in a file of the kind's name, fetched when a layer of that kind is first looked at. */
import { signal } from "@preact/signals";

/**
 * A view: how a step of a layer is drawn, and what is said about it.
 * @typedef {{View: (props: any) => any, explain: (props: import("../types.d.ts").StageProps) => {key: string, args: Record<string, string | number>}[]}} ViewModule
 */

/** Kinds with a view of their own; the others get the generic one. */
export const KINDS = new Set([
  "add", "avgpool2d", "concat", "conv2d", "dense", "elu", "flatten", "gelu", "global_avgpool2d", "input", "leaky_relu", "maxpool2d", "relu", "sigmoid",
  "softmax", "tanh",
]);

/** Views of the later phases, in a folder each; the others get the generic one. */
export const LATER = new Set([
  "backward/accumulate", "backward/add", "backward/avgpool2d", "backward/batchnorm2d", "backward/concat", "backward/conv2d", "backward/dense", "backward/dropout",
  "backward/elu", "backward/flatten", "backward/gelu", "backward/global_avgpool2d", "backward/leaky_relu", "backward/maxpool2d", "backward/penalty", "backward/relu",
  "backward/bce_with_logits", "backward/cross_entropy", "backward/l1", "backward/mse", "backward/nll", "backward/score", "backward/sigmoid", "backward/silu", "backward/softplus", "backward/tanh",
  "loss/bce_with_logits", "loss/cross_entropy", "loss/l1", "loss/l2", "loss/mse", "loss/nll", "loss/score", "loss/sum", "update",
]);

/** Views that are here, by file. @type {import("@preact/signals").Signal<Record<string, ViewModule>>} */
const here = signal({});
/** @type {Map<string, Promise<void>>} */
const coming = new Map();

/** @typedef {Pick<import("../types.d.ts").Block, "kind" | "phase">} Shown a block; undefined stands for the input, which no block writes */

/** @param {Shown | undefined} block */
export function fileOf(block) {
  if (!block) return "input";
  const file = block.phase === "forward" ? block.kind : block.phase === "update" ? "update" : `${block.phase}/${block.kind}`;
  return (block.phase === "forward" ? KINDS : LATER).has(file) ? file : "generic";
}

/**
 * The view of a block; null while it is on its way, and whoever reads this in a component is drawn again when it has come.
 * @param {Shown | undefined} block @returns {ViewModule | null}
 */
export function viewOf(block) {
  const view = here.value[fileOf(block)];
  if (!view) void fetchView(block);
  return view ?? null;
}

/** Fetches the view of a block unless it is here. @param {Shown | undefined} block @returns {Promise<void>} */
export function fetchView(block) {
  const file = fileOf(block);
  let promise = coming.get(file);
  if (!promise) {
    promise = import(`./${file}.js`).then((view) => { here.value = { ...here.peek(), [file]: view }; }, () => { coming.delete(file); });
    coming.set(file, promise);
  }
  return promise;
}
