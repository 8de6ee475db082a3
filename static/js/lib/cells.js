/** Cells and steps: flat numbers and coordinates, and where a move in some unit leads. */

/** @typedef {import("../types.d.ts").Block} Block */
/** @typedef {import("../types.d.ts").Unit} Unit */

/** @param {number} flat @param {readonly number[]} shape @returns {number[]} row-major coordinates */
export function unravel(flat, shape) {
  const cell = new Array(shape.length);
  for (let d = shape.length - 1; d >= 0; d--) {
    cell[d] = flat % shape[d];
    flat = Math.floor(flat / shape[d]);
  }
  return cell;
}

/** @param {readonly number[]} cell @param {readonly number[]} shape @returns {number} */
export function ravel(cell, shape) {
  return cell.reduce((flat, at, d) => flat * shape[d] + at, 0);
}

/** The cell of a shape that is nearest to one of another. @param {readonly number[]} cell @param {readonly number[]} shape @returns {number[]} */
export function nearest(cell, shape) {
  return shape.map((extent, d) => Math.min(cell[d] ?? 0, extent - 1));
}

/** @param {Block[]} blocks in order of their steps @param {number} step @returns {number} index of the block that holds a step; −1 outside */
export function blockAt(blocks, step) {
  let [low, high] = [0, blocks.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (step < blocks[middle].start) high = middle - 1;
    else if (step >= blocks[middle].stop) low = middle + 1;
    else return middle;
  }
  return -1;
}

/** How many steps one unit is inside a block. @param {Block} block @param {Unit} unit */
function stride(block, unit) {
  const { shape } = block;
  if (unit === "row") return shape.length === 4 ? shape[3] : block.stop - block.start;
  if (unit === "channel") return shape.length === 4 ? shape[2] * shape[3] : block.stop - block.start;
  return 1;
}

/**
 * Where a move leads. Forward goes to the start of the next row, channel or layer; back to the start of this one, or of the one before when already there.
 * @param {Block[]} blocks @param {number} step @param {Unit} unit @param {number} sign +1 or −1 @returns {number}
 */
export function moved(blocks, step, unit, sign) {
  const steps = blocks.at(-1)?.stop ?? 0;
  const clamp = (/** @type {number} */ to) => Math.max(0, Math.min(steps - 1, to));
  const block = blocks[blockAt(blocks, step)];
  if (!block) return clamp(step);
  if (unit === "step") return clamp(step + sign);
  if (unit === "layer") return clamp(toLayer(blocks, block, step, sign));
  const by = stride(block, unit);
  const inside = step - block.start;
  const here = block.start + Math.floor(inside / by) * by;
  if (sign > 0) return clamp(Math.min(block.stop, here + by));
  if (here < step) return here;
  const before = blocks[blockAt(blocks, step - 1)];
  if (!before) return 0;
  if (before === block) return here - by;
  const last = stride(before, unit);
  return before.start + Math.floor((before.stop - 1 - before.start) / last) * last;
}

/** @param {Block[]} blocks @param {Block} block @param {number} step @param {number} sign */
function toLayer(blocks, block, step, sign) {
  // a node has blocks in several phases, and in each of them it is a layer of its own
  const starts = blocks.filter(({ node, phase }, i) => node !== blocks[i - 1]?.node || phase !== blocks[i - 1].phase).map(({ start }) => start);
  const at = starts.findLastIndex((start) => start <= block.start);
  if (sign > 0) return starts[at + 1] ?? blocks[blocks.length - 1].stop - 1;
  return step > starts[at] ? starts[at] : starts[at - 1] ?? 0;
}
