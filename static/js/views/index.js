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

/** Views that are here, by file. @type {import("@preact/signals").Signal<Record<string, ViewModule>>} */
const here = signal({});
/** @type {Map<string, Promise<void>>} */
const coming = new Map();

/** @param {string} kind */
const fileOf = (kind) => (KINDS.has(kind) ? kind : "generic");

/**
 * The view of a kind; null while it is on its way, and whoever reads this in a component is drawn again when it has come.
 * @param {string} kind @returns {ViewModule | null}
 */
export function viewOf(kind) {
  const view = here.value[fileOf(kind)];
  if (!view) void fetchView(kind);
  return view ?? null;
}

/** Fetches the view of a kind unless it is here. @param {string} kind @returns {Promise<void>} */
export function fetchView(kind) {
  const file = fileOf(kind);
  let promise = coming.get(file);
  if (!promise) {
    promise = import(`./${file}.js`).then((view) => { here.value = { ...here.peek(), [file]: view }; }, () => { coming.delete(file); });
    coming.set(file, promise);
  }
  return promise;
}
