/** A server of two layers for tests: conv1.out and relu1.out, 1×2×3×4 each; every cell's value is its flat index. */
import { FakeSocket } from "./browser.js";
import { f32, f64, frame, i32 } from "./frames.js";

const SHAPE = [1, 2, 3, 4];
const CELLS = 24;

/** @param {number} n */
const count = (n, from = 0) => Array.from({ length: n }, (_, i) => from + i);

/** @param {string} node @param {number} i @param {string} reads */
function block(node, i, reads) {
  return { node, kind: node === "conv1" ? "conv2d" : "relu", phase: "forward", writes: `${node}.out`, shape: SHAPE, start: i * CELLS, stop: (i + 1) * CELLS,
    loops: [["n", 1], ["o", 2], ["y", 3], ["x", 4]], roles: [{ name: "x", tensor: reads, accent: "value" }], addends: [], combine: "map", term_shape: [],
    formula: "", code: [], active: [], slots: {}, extra: [], readings: ["gather"] };
}

/** The answer to `open`. @param {any} scenario */
export function opened(scenario) {
  const tensor = (/** @type {string} */ name, /** @type {string} */ source) => ({ name, shape: SHAPE, dtype: "float32", min: 0, max: CELLS - 1, first_bad: null, source });
  const node = (/** @type {string} */ name, /** @type {string} */ from) => ({ name, kind: "relu", inputs: [from], config: {}, out: `${name}.out`, shape: SHAPE, params: [], n_params: 0, size_formula: null });
  return { type: "opened", trace: digestOf(scenario), scenario: { ...scenario, dtype: "float32" }, steps: 2 * CELLS,
    nodes: [node("conv1", "input"), node("relu1", "conv1")], blocks: [block("conv1", 0, "input"), block("relu1", 1, "conv1.out")],
    tensors: [tensor("input", "input"), tensor("conv1.out", "step"), tensor("relu1.out", "step")], input: null, limits: {} };
}

/** @param {any} scenario */
const digestOf = (scenario) => `digest of ${JSON.stringify({ ...scenario, dtype: undefined })}`;

/** @param {string | number} re @param {number} start @param {number} stop */
export function window(re, start, stop) {
  const k = stop - start;
  const cells = count(k, start % CELLS);
  return frame({ re, type: "steps", start, stop, block: Math.floor(start / CELLS) }, {
    cell: i32(cells), result: f32(cells), term: f32(cells, [k, 1]), "x.index": i32(cells, [k, 1]), "x.value": f32(cells, [k, 1]),
    combined: f64(cells), residual: f64(cells.map(() => 0)),
  });
}

export class Server {
  constructor() {
    /** Traces that are here. @type {Set<string>} */
    this.traces = new Set();
    /** Pictures that are not here. @type {Set<string>} */
    this.lost = new Set();
    /** Types that are left without an answer. @type {Set<string>} */
    this.silent = new Set();
    /** @type {any[]} */
    this.seen = [];
    FakeSocket.onMessage = (message, socket) => this.receive(message, socket);
  }

  /** Messages of one type, oldest first. @param {string} type @returns {any[]} */
  of(type) {
    return this.seen.filter((message) => message.type === type);
  }

  /** @param {any} message @param {FakeSocket} socket */
  receive(message, socket) {
    this.seen.push(message);
    if (this.silent.has(message.type)) return;
    const reply = this.reply(message);
    if (reply) socket.answer(reply instanceof ArrayBuffer ? reply : { re: message.id, ...reply });
  }

  /** @param {any} message @returns {object | ArrayBuffer | null} */
  reply(message) {
    const { type, id } = message;
    if (type === "open") return this.open(message);
    if (type === "credit") return null;
    if (type === "pause") return { type: "paused", step: 0 };
    if (type === "play") return { type: "playing", step: message.start };
    if (!this.traces.has(message.trace)) return { type: "error", code: "E_TRACE", reason: "unknown_trace", message: "not here" };
    if (type === "tensor") return frame({ re: id, type, name: message.name }, { [message.name]: f32(count(CELLS), SHAPE) });
    if (type === "steps") return window(id, message.start, Math.min(message.stop, Math.floor(message.start / CELLS) * CELLS + CELLS));
    return null;
  }

  /** @param {any} message */
  open({ scenario, digest }) {
    if (digest) return { type: "error", code: "E_TRACE", reason: "unknown_trace", message: "not here (any more)" };
    if (this.lost.has(scenario.input?.image)) return { type: "error", code: "E_IMAGE", reason: "unknown_image", message: "no such picture", field: "input.image" };
    if (scenario.network.some((/** @type {any} */ node) => node.kernel_size > 9)) {
      return { type: "error", code: "E_SCENARIO", reason: "kernel", message: "kernel_size 11 exceeds 9", field: "network[0].kernel_size" };
    }
    const answer = opened(scenario);
    this.traces.add(answer.trace);
    return answer;
  }
}
