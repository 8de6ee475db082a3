/**
 * Where a step lies on the timeline. A layer is as wide as the square root of its steps: in Tiny VGG conv1 has 30 752 steps and the softmax 30,
 * so with widths in proportion everything small would be thinner than a pixel.
 */

/** @typedef {{node: string, phase: string, start: number, stop: number, x0: number, x1: number}} Segment x0, x1: share of the track's width, 0 … 1 */

/** No layer is narrower than this share of the widest, and a little more for each letter of its name. */
const NARROWEST = 0.12;
const LETTER = 0.035;

/** Widths of the phases, of those that there are. @type {Record<string, number>} */
const SHARES = { forward: 40, loss: 12, backward: 32, update: 16 };

/**
 * One segment per node and phase, in order of the steps; phases have fixed shares of the track.
 * @param {readonly {node: string, phase: string, start: number, stop: number}[]} blocks @returns {Segment[]}
 */
export function segments(blocks) {
  /** @type {Segment[]} */
  const found = [];
  for (const { node, phase, start, stop } of blocks) {
    const last = found.at(-1);
    if (last?.node === node && last.phase === phase) last.stop = stop;
    else found.push({ node, phase, start, stop, x0: 0, x1: 0 });
  }
  const phases = [...new Set(found.map(({ phase }) => phase))];
  const whole = phases.reduce((sum, phase) => sum + SHARES[phase], 0);
  let from = 0;
  for (const phase of phases) {
    const to = from + SHARES[phase] / whole;
    layOut(found.filter((segment) => segment.phase === phase), from, to);
    from = to;
  }
  if (found.length) found[found.length - 1].x1 = 1;
  return found;
}

/** @param {Segment[]} found of one phase @param {number} from @param {number} to */
function layOut(found, from, to) {
  const roots = found.map(({ start, stop }) => Math.sqrt(Math.max(1, stop - start)));
  const most = Math.max(...roots, 1);
  const widths = roots.map((root, i) => Math.max(root, most * (NARROWEST + LETTER * Math.min(10, found[i].node.length))));
  const total = widths.reduce((sum, width) => sum + width, 0);
  let x = 0;
  found.forEach((segment, i) => {
    segment.x0 = from + ((to - from) * x) / total;
    x += widths[i];
    segment.x1 = from + ((to - from) * x) / total;
  });
}

/** Where each phase begins and ends on the track. @param {Segment[]} list @returns {{phase: string, x0: number, x1: number, segments: Segment[]}[]} */
export function phasesOf(list) {
  return [...new Set(list.map(({ phase }) => phase))].map((phase) => {
    const own = list.filter((segment) => segment.phase === phase);
    return { phase, x0: own[0].x0, x1: own[own.length - 1].x1, segments: own };
  });
}

/** @param {Segment[]} list @param {number} step @returns {Segment | undefined} the segment that holds a step */
export function segmentOf(list, step) {
  return list.find(({ stop }) => step < stop) ?? list.at(-1);
}

/** @param {Segment[]} list @param {number} step @returns {number} share of the track's width */
export function shareOf(list, step) {
  const at = segmentOf(list, step);
  if (!at) return 0;
  return at.x0 + ((at.x1 - at.x0) * (step - at.start)) / Math.max(1, at.stop - at.start);
}

/** @param {Segment[]} list @param {number} share 0 … 1 @returns {number} the step there */
export function stepAt(list, share) {
  const at = list.find(({ x1 }) => share < x1) ?? list.at(-1);
  if (!at) return 0;
  const inside = Math.max(0, Math.min(1, (share - at.x0) / (at.x1 - at.x0)));
  return Math.min(at.stop - 1, at.start + Math.floor(inside * (at.stop - at.start)));
}

/**
 * The stretch of steps that writes one channel (or one whole vector): the range of the finer scrubber.
 * @param {{start: number, stop: number, loops: [string, number][]}} block @param {number} step
 * @returns {{start: number, stop: number, row: number, rows: number, channel: number | null}} row: within the channel
 */
export function stretch(block, step) {
  const extents = block.loops.map(([, extent]) => extent);
  const plane = extents.length >= 3 ? extents.slice(2).reduce((a, b) => a * b, 1) : block.stop - block.start;
  const cols = extents.length >= 3 ? extents[extents.length - 1] : 1;
  const inside = step - block.start;
  const start = block.start + Math.floor(inside / plane) * plane;
  return {
    start,
    stop: Math.min(block.stop, start + plane),
    row: Math.floor((step - start) / cols),
    rows: Math.ceil(plane / cols),
    channel: extents.length >= 3 ? Math.floor(inside / plane) % extents[1] : null,
  };
}
