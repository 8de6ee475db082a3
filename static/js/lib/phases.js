/** The phases of a training step, and the role of a tensor by its name. */

/** @typedef {import("../types.d.ts").Phase} Phase */
/** @typedef {import("../types.d.ts").Accent} Accent */

/** In the order of the steps; those after `forward` exist where the scenario has a target. @type {readonly Phase[]} */
export const PHASES = ["forward", "loss", "backward", "update"];

/** What flows backward: gradients, and what an optimiser makes of them. */
const GRAD = /\.grad(@|\.|$)|\.(exp_avg|exp_avg_sq|max_exp_avg_sq|momentum_buffer|square_avg|grad_avg|sum|scaled|variance)(\.|$)|\.step$|^(grad_norm|clip_factor)$/;

/** The role, and so the colours, of a tensor. @param {{name: string, source: string} | undefined} info @returns {Accent} */
export function accentOf(info) {
  if (!info) return "value";
  if (GRAD.test(info.name)) return "grad";
  return info.source === "param" || info.name.endsWith(".next") ? "weight" : "value";
}

/** The accent of a phase: what it writes. @param {Phase | string} phase @returns {Accent} */
export function phaseAccent(phase) {
  return phase === "backward" ? "grad" : phase === "update" ? "weight" : "value";
}

/** Whether the stage shows how a picture became the input, and no step. @param {import("../types.d.ts").Focus | null} at */
export function onInput(at) {
  return at?.node === "input" && (at.phase ?? "forward") === "forward";
}

/** The channel of a node that is open, null when it is another node or a later phase. @param {import("../types.d.ts").Focus | null} at @param {string} node */
export function channelOf(at, node) {
  return at?.node === node && (at.phase ?? "forward") === "forward" ? at.channel : null;
}
