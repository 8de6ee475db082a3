import { pair, planeSize, slideOf, windowBox } from "../parts/geometry.js";
import { shapeOf, termsPerChannel } from "../parts/source.js";

/**
 * Everything positional about a convolution step, computed once per render.
 * @param {import("../../types.d.ts").StageProps} p
 */
export function convGeometry(p) {
  const { block, node } = p;
  const x = block.roles.find((role) => role.name === "x") ?? block.roles[0];
  const w = block.roles.find((role) => role.name === "w") ?? block.roles[1];
  const shape = shapeOf(p, x.tensor);
  const size = planeSize(shape);
  const padded = x.tensor.endsWith(".padded");
  const slide = slideOf(node.config, padded, size);
  const [, o, oy, ox] = p.cell;
  const channels = block.term_shape[0]?.[1] ?? 1;
  const groups = Number(node.config.groups ?? 1);
  const group = Math.floor(o / (block.shape[1] / groups));
  const own = padded ? /** @type {[number, number]} */ (paddingOf(node.config, slide)) : /** @type {[number, number]} */ ([0, 0]);
  return {
    x, w, shape, size, slide, padded, channels, per: termsPerChannel(block), first: group * channels, groups,
    out: /** @type {[number, number]} */ ([block.shape[2], block.shape[3]]), window: windowBox(slide, oy, ox), mirror: own,
    // padding is drawn as wide as the windows reach: with stride 2 the last row of padding may never be read
    pad: /** @type {[number, number]} */ (padded ? [0, 0] : reachOfPadding(slide, size, [block.shape[2], block.shape[3]])),
  };
}

/** @typedef {ReturnType<typeof convGeometry>} ConvGeometry */

/** @param {Record<string, any>} config @param {import("../parts/geometry.js").Slide} slide */
function paddingOf(config, { k, d }) {
  if (config.padding === "same") return [((k[0] - 1) * d[0]) >> 1, ((k[1] - 1) * d[1]) >> 1];
  return typeof config.padding === "string" ? [0, 0] : pair(config.padding ?? 0);
}

/** Rows and columns of padding on either side. @param {import("../parts/geometry.js").Slide} slide @param {[number, number]} size @param {[number, number]} out */
function reachOfPadding({ k, s, p, d }, size, out) {
  return [0, 1].map((a) => Math.max(p[a], (out[a] - 1) * s[a] + (k[a] - 1) * d[a] + 1 - p[a] - size[a], 0));
}

/**
 * How large everything may be in the room there is.
 * Fixed widths: 22 zoom gap, two operators of 26, 84 partial sum, 40 before the destination; MARGIN of the canvases 8 each.
 * @param {{w: number, h: number}} size of the stage body @param {number} open channels shown in full @param {number} others lines
 * @param {[number, number]} k kernel @param {boolean} narrow one column
 */
export function convLayout(size, open, others, k, narrow) {
  const side = Math.max(k[0], k[1]);
  if (narrow) {
    const cell = Math.max(20, Math.min(40, Math.floor(112 / side), Math.floor((size.w - 48 - 24) / (2 * side))));
    const map = Math.min(150, size.w - cell * side - 60);
    return { cell, map, dest: Math.min(size.w - 12, 320), chipsBelow: true, listHeight: Math.min(3, others) * 28 };
  }
  // fewer rows leave room for the sum below them
  const chipsBelow = size.h >= [0, 280, 360, 440][open];
  const listHeight = others && chipsBelow ? Math.min(3, Math.ceil(others / 3)) * 28 + 8 : 0;
  const room = size.h - 20 - (chipsBelow ? 58 : 0) - listHeight;
  const row = Math.floor((room - 6 * (open - 1)) / open) - 8;
  const block = Math.max(90, Math.min(row, open === 1 ? 216 : open === 2 ? 156 : 120));
  let cell = Math.max(90 / side, Math.min(open === 1 ? 56 : 48, Math.floor(block / side)));
  let map = Math.max(90, Math.min(row, open === 1 ? 300 : open === 2 ? 200 : 128));
  const left = () => size.w - (map + 8) - 3 * (cell * k[1] + 8) - 22 - 52 - 84 - 44;
  // too wide: first the map gives way as long as it is generous, then the cells down to a legible number, then the map again
  const shrinkMap = (/** @type {number} */ least) => { if (left() < 205) map = Math.max(Math.min(map, least), map - (205 - left())); };
  shrinkMap(210);
  if (left() < 205) cell = Math.max(Math.min(cell, Math.max(30, 112 / side)), cell - Math.ceil((205 - left()) / (3 * k[1])));
  shrinkMap(96);
  if (left() < 180) cell = Math.max(20, cell - Math.ceil((180 - left()) / (3 * k[1])));
  // on a short stage the list of the other channels stands beside the destination
  const list = others && !chipsBelow ? 192 : 0;
  const dest = Math.max(120, Math.min(330, left() - list, size.h - (chipsBelow ? 60 : 146)));
  return { cell: Math.floor(cell), map: Math.floor(map), dest: Math.floor(dest), chipsBelow, listHeight };
}
