import { accentOf } from "../../lib/phases.js";

/**
 * How an operand tensor is shown: pictures as pictures, everything else in its accent.
 * @typedef {import("../../types.d.ts").StageProps} StageProps
 */

/**
 * @param {StageProps} p @param {string} tensor @param {number} channel @returns {import("../../draw/heat.js").Shade}
 */
export function shadeOf(p, tensor, channel) {
  const picture = pictureOf(p, tensor);
  if (picture) return { accent: "grey", absmax: 1, theme: p.theme, mean: picture.mean[channel] ?? 0, std: picture.std[channel] ?? 1 };
  return { accent: accentFor(p, tensor), absmax: p.absmax(tensor, channel), theme: p.theme };
}

/** The role of a tensor: as the step reads it, else by its name. @param {StageProps} p @param {string} tensor @returns {import("../../types.d.ts").Accent} */
export function accentFor(p, tensor) {
  return p.block?.roles.find((role) => role.tensor === tensor)?.accent ?? accentOf(p.opened.tensors.find(({ name }) => name === tensor));
}

/** What is known of the picture behind a tensor, or null. Padding a picture leaves it a picture. @param {StageProps} p @param {string} tensor */
export function pictureOf(p, tensor) {
  const info = p.opened.input;
  if (!info || !info.image) return null;
  const source = p.opened.nodes.find((node) => `${node.name}.padded` === tensor)?.inputs[0];
  if (tensor !== "input" && source !== "input") return null;
  return { mean: info.mean ?? [], std: info.std ?? [], channels: info.channels ?? 3 };
}

/** red, green, blue for pictures, the channel's number for the rest. @param {StageProps} p @param {string} tensor @param {number} channel */
export function channelName(p, tensor, channel) {
  const picture = pictureOf(p, tensor);
  if (picture && picture.channels === 3) return p.t(["stage.red", "stage.green", "stage.blue"][channel]);
  if (picture) return p.t("stage.grey");
  return p.t("stage.channel", { c: channel });
}

/** Shape of any tensor of the trace, loaded or not. @param {StageProps} p @param {string} tensor @returns {number[]} */
export function shapeOf(p, tensor) {
  return p.opened.tensors.find((entry) => entry.name === tensor)?.shape ?? p.tensor(tensor)?.shape ?? [1, 1, 1, 1];
}

/** How many terms a channel has. @param {import("../../types.d.ts").Block} block */
export function termsPerChannel(block) {
  return block.term_shape.slice(1).reduce((n, [, extent]) => n * extent, 1);
}
