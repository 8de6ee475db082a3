import { html } from "htm/preact";
import * as actions from "../actions.js";
import { accentOf } from "../lib/phases.js";
import * as state from "../state.js";
import { Formula } from "./formula.js";
import { channelRanges } from "./scale.js";

/** @typedef {import("../types.d.ts").StageProps} StageProps */

/**
 * What a view is given: the step at the cursor and the means to point, pin, jump and edit. Null while the numbers are on their way.
 * @param {{w: number, h: number}} size of the stage body
 * @param {boolean} [input] the input is in focus, which no step wrote
 * @param {import("../types.d.ts").StepView | null} [step]
 * @returns {StageProps | null}
 */
export function stageProps(size, input = false, step = state.stepData.value) {
  const opened = state.opened.value;
  const focus = state.focus.value;
  if (!opened || (!step && !input)) return null;
  if (step && !input && !fits(opened, step)) return null;
  const maps = state.exactData.value;
  const block = input ? undefined : step?.block;
  const node = input ? inputNode(opened) : opened.nodes.find((entry) => entry.name === block?.node) ?? plainNode(block?.node ?? "", block?.kind ?? "", block?.shape ?? []);
  return /** @type {StageProps} */ ({
    opened, node, block, step, cell: step?.cell ?? [], size,
    written: step && block ? step.index - block.start + 1 : 0,
    tensor: (/** @type {string} */ name) => maps.get(name) ?? null,
    absmax,
    other: (/** @type {string} */ reading) => (state.otherReadings.value.index === step?.index ? state.otherReadings.value.steps[reading] ?? null : null),
    history: async (/** @type {string} */ tensor, /** @type {number[]} */ at) => (await import("../loop.js")).history(tensor, at),
    iterations: state.looping.value?.n ?? 0,
    formula: (/** @type {string} */ tex) => html`<${Formula} tex=${tex} display=${false} />`,
    hover: state.hover.value ?? state.pinned.value,
    setHover: (/** @type {StageProps["hover"]} */ hover) => {
      state.hover.value = hover;
    },
    pin: (/** @type {NonNullable<StageProps["hover"]>} */ place) => {
      const old = state.pinned.value;
      const same = old && old.tensor === place.tensor && old.cell === place.cell && old.term === place.term;
      state.pinned.value = same ? null : place;
    },
    jump: actions.jumpTo,
    edit: actions.edit,
    t: state.t.value, theme: state.theme.value, layout: state.layout.value, scaleMode: state.scaleMode.value,
    channel: focus?.channel ?? 0, sample: state.sample.value,
  });
}

/**
 * The step before stays on the screen until its successor arrives; after an edit that is right, in another network it would point nowhere.
 * @param {NonNullable<typeof state.opened.value>} opened @param {import("../types.d.ts").StepView} step
 */
function fits(opened, { block }) {
  const now = opened.blocks.find((entry) => entry.start === block.start);
  return now !== undefined && now.writes === block.writes && now.stop === block.stop && String(now.term_shape) === String(block.term_shape);
}

/** The input has no layer; the views need a name for it. @param {NonNullable<typeof state.opened.value>} opened */
function inputNode(opened) {
  return plainNode("input", "input", opened.tensors.find((entry) => entry.name === "input")?.shape ?? []);
}

/** What writes tensors and is no layer: the loss, clipping. @param {string} name @param {string} kind @param {number[]} shape */
function plainNode(name, kind, shape) {
  return { name, kind, inputs: [], config: {}, out: name, shape, params: [], n_params: 0, size_formula: null };
}

/**
 * Largest |value| the colour scale of a tensor reaches, shared as the user chose: per map, per layer or by all layers. Weights always share one scale
 * per layer: comparing the kernels of a layer is what they are looked at for.
 * @param {string} name @param {number} channel @returns {number}
 */
export function absmax(name, channel) {
  const opened = state.opened.value;
  const entry = opened?.tensors.find((tensor) => tensor.name === name);
  if (!opened || !entry) return 1;
  const own = Math.max(Math.abs(entry.min ?? 0), Math.abs(entry.max ?? 0)) || 1;
  if (entry.source === "param") return own;
  if (state.scaleMode.value === "network") {
    let most = 0;
    const accent = accentOf(entry);
    for (const info of opened.tensors) {
      if (info.source === "step" && accentOf(info) === accent) most = Math.max(most, Math.abs(info.min ?? 0), Math.abs(info.max ?? 0));
    }
    return Math.max(most, own);
  }
  const view = state.mapData.value.get(name) ?? state.gradMaps.value.get(name);
  if (state.scaleMode.value !== "map" || !view || view.shape.length < 4) return own;
  const range = channelRanges(view)[Math.min(state.sample.value, view.shape[0] - 1) * view.shape[1] + channel];
  const most = range && Number.isFinite(range.min) ? Math.max(Math.abs(range.min), Math.abs(range.max)) : 0;
  return most || 1;
}
