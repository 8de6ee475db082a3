/** Windows of steps that have arrived, newest last, and the cutting of one step out of a window. */
import { unravel } from "./cells.js";

/** @typedef {import("../types.d.ts").Block} Block */
/** @typedef {import("../types.d.ts").Column} Column */
/** @typedef {import("../types.d.ts").Frame} Frame */
/** @typedef {import("../types.d.ts").Numbers} Numbers */
/** @typedef {import("../types.d.ts").StepView} StepView */
/** @typedef {{start: number, stop: number, block: Block, columns: Record<string, Column>}} StepWindow */

/** One row of a column; a column with a single row holds for every step. @param {Column | undefined} column @param {number} row @param {number} steps */
function rowOf(column, row, steps) {
  if (!column) return new Float64Array(0);
  const rows = column.shape[0];
  const width = column.shape.slice(1).reduce((a, b) => a * b, 1);
  const at = rows === 1 && steps > 1 ? 0 : row;
  return column.data.subarray(at * width, (at + 1) * width);
}

/** @param {StepWindow} window @param {number} index a step inside it @returns {StepView} */
export function stepOf(window, index) {
  const { block, columns, start, stop } = window;
  const [row, steps] = [index - start, stop - start];
  const at = (/** @type {string} */ name) => rowOf(columns[name], row, steps);
  const operands = (/** @type {{name: string}[]} */ list) => Object.fromEntries(list.map(({ name }) => [name, {
    index: /** @type {Int32Array} */ (at(`${name}.index`)), value: /** @type {Numbers} */ (at(`${name}.value`)),
  }]));
  const named = (/** @type {string} */ prefix) => Object.keys(columns).filter((name) => name.startsWith(prefix));
  const extra = Object.fromEntries(named("extra.").map((name) => [name.slice(6), at(name)[0]]));
  const factors = Object.fromEntries(named("factor.").map((name) => [name.slice(7), /** @type {Numbers} */ (at(name))]));
  return {
    index, block, cell: unravel(at("cell")[0], block.shape), result: at("result")[0], terms: /** @type {Numbers} */ (at("term")),
    roles: operands(block.roles), addends: operands(block.addends), extra, factors,
    combined: at("combined")[0], residual: at("residual")[0],
    partial: columns.partial ? /** @type {Numbers} */ (at("partial")) : null, rest: extra.rest ?? 0,
  };
}

/** Windows kept, however small: a drag leaves hundreds of four steps behind. */
const MOST = 200;

/** The newest windows, dropped by age once they are too many or hold too many bytes. */
export class WindowCache {
  /** @param {number} [most] bytes */
  constructor(most = 8 * 2 ** 20) {
    this.most = most;
    this.bytes = 0;
    /** @type {StepWindow[]} */
    this.list = [];
  }

  /** @param {number} index @returns {StepWindow | undefined} */
  find(index) {
    for (let i = this.list.length - 1; i >= 0; i--) if (index >= this.list[i].start && index < this.list[i].stop) return this.list[i];
    return undefined;
  }

  /** @param {StepWindow} window */
  add(window) {
    for (let i = this.list.length - 1; i >= 0; i--) {
      if (this.list[i].start >= window.start && this.list[i].stop <= window.stop) this.bytes -= bytesOf(this.list.splice(i, 1)[0]);
    }
    this.list.push(window);
    this.bytes += bytesOf(window);
    while ((this.bytes > this.most || this.list.length > MOST) && this.list.length > 1) this.bytes -= bytesOf(/** @type {StepWindow} */ (this.list.shift()));
  }

  /** Drops windows that hold only the largest terms of their steps. @returns {boolean} whether there were any */
  dropPartial() {
    const whole = this.list.filter(({ block, columns }) => columns.term.shape[1] >= block.term_shape.reduce((n, [, extent]) => n * extent, 1));
    const some = whole.length < this.list.length;
    this.list = whole;
    this.bytes = whole.reduce((sum, window) => sum + bytesOf(window), 0);
    return some;
  }

  clear() {
    this.list = [];
    this.bytes = 0;
  }
}

/** @param {StepWindow} window */
function bytesOf(window) {
  return Object.values(window.columns).reduce((sum, { data }) => sum + data.byteLength, 0);
}

/** @param {Frame} frame of type "steps" @param {Block[]} blocks @param {string} [reading] one of the block's others @returns {StepWindow} */
export function windowOf(frame, blocks, reading) {
  const { start, stop, block } = frame.meta;
  const own = blocks[Number(block)];
  const other = reading && own.others?.[reading];
  return { start: Number(start), stop: Number(stop), block: other ? { ...own, ...other } : own, columns: frame.columns };
}
