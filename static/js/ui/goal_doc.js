/** Targets, losses, optimisers and schedules as the document writes them. Defaults come from the server, which fills them in. */
import { opened } from "../state.js";

/** @typedef {{vector: boolean, count: number, samples: number, shape: number[]}} Outputs */

/** By kind: whether the target is a class, and the settings. @type {Record<string, {classes: boolean, fields: string[]}>} */
export const LOSSES = {
  cross_entropy: { classes: true, fields: ["label_smoothing"] }, nll: { classes: true, fields: [] }, mse: { classes: false, fields: [] },
  l1: { classes: false, fields: [] }, bce_with_logits: { classes: false, fields: [] },
};

/** @type {Record<string, string[]>} */
export const OPTIMIZERS = {
  sgd: ["lr", "momentum", "dampening", "weight_decay", "nesterov"], rmsprop: ["lr", "alpha", "eps", "weight_decay", "momentum", "centered"],
  adagrad: ["lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps"], adam: ["lr", "betas", "eps", "weight_decay", "amsgrad"],
  adamw: ["lr", "betas", "eps", "weight_decay", "amsgrad"],
};

/** `start`: what has no default. @type {Record<string, {fields: string[], start: Record<string, number>}>} */
export const SCHEDULES = {
  constant: { fields: [], start: {} }, step: { fields: ["step_size", "gamma"], start: { step_size: 10 } },
  cosine: { fields: ["T_max", "eta_min"], start: { T_max: 100 } }, warmup: { fields: ["start_factor", "total_iters"], start: {} },
};

/** What the loss compares with the target: the last node's output. @returns {Outputs} */
export function outputs() {
  const shape = opened.value?.nodes.at(-1)?.shape ?? [1, 1];
  return { vector: shape.length === 2, count: shape.slice(1).reduce((a, b) => a * b, 1), samples: shape[0], shape };
}

/** The kind of loss: as the document says, else cross-entropy, which maps cannot have. @param {import("../types.d.ts").ScenarioDoc | null} doc */
export function lossKind(doc) {
  const kind = String(doc?.loss?.kind ?? "cross_entropy");
  return LOSSES[kind]?.classes && !outputs().vector ? "mse" : kind;
}

/** The class of a target, of its first sample when there are several; null for arrays of values. @param {unknown} target @returns {number | null} */
export function classOf(target) {
  const first = Array.isArray(target) ? target[0] : target;
  return typeof first === "number" ? first : null;
}

/** The values wanted for the first sample, zeros where there are none yet. @param {unknown} target @param {Outputs} out @returns {number[]} */
export function valuesOf(target, out) {
  const first = Array.isArray(target) && Array.isArray(target[0]) ? target[0] : null;
  const flat = first ? /** @type {number[]} */ (first.flat(Infinity)) : [];
  const one = classOf(target);
  return Array.from({ length: out.count }, (_, i) => flat[i] ?? (i === one ? 1 : 0));
}

/**
 * A target for a loss: a class, or values nested in the shape of the prediction; the same for every sample.
 * @param {string} kind of the loss @param {number | null} chosen class @param {number[]} [values] @param {unknown} [before] the target until now
 * @returns {unknown}
 */
export function targetFor(kind, chosen, values, before) {
  const out = outputs();
  if (LOSSES[kind]?.classes) {
    const old = valuesOf(before, out);
    const best = chosen ?? old.indexOf(Math.max(...old));
    return out.samples === 1 ? best : Array(out.samples).fill(best);
  }
  return Array(out.samples).fill(nested(values ?? valuesOf(chosen ?? before, out), out.shape.slice(1)));
}

/** @param {number[]} flat @param {number[]} shape @returns {unknown} */
function nested(flat, shape) {
  if (shape.length <= 1) return flat;
  const size = flat.length / shape[0];
  return Array.from({ length: shape[0] }, (_, i) => nested(flat.slice(i * size, (i + 1) * size), shape.slice(1)));
}
