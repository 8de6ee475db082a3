/**
 * The few parts of a browser that the page's core needs, for tests without one. Import it before anything of static/js.
 * Time stands still: frames are drawn by `tick()`, timers run by `runTimers()`.
 */

/** @type {any} */
const world = globalThis;

export const PRESET = { id: "tiny_vgg", scenario: { version: 1, input: { image: "sha256:scene", shape: [1, 3, 4] }, network: [{ name: "conv1", kind: "conv2d" }, { name: "relu1", kind: "relu" }] } };
export const PENCIL = { id: "pencil", scenario: { version: 1, input: { values: [[[[1, 2]]]] }, network: [{ name: "conv1", kind: "conv2d" }] } };
const boot = { version: "t", static: "/static/x", lang_default: "en", presets: [PENCIL, PRESET], kernels: {}, limits: { max_image_bytes: 1000 },
  samples: [{ id: "sha256:scene", name: "scene", width: 4, height: 4 }, { id: "sha256:rings", name: "rings", width: 4, height: 4 }] };

/** A websocket whose other end is the test. */
export class FakeSocket {
  static OPEN = 1;
  static CLOSED = 3;
  /** @type {FakeSocket[]} */
  static all = [];
  /** Called with every message of every socket, parsed. @type {(message: any, socket: FakeSocket) => void} */
  static onMessage = () => {};

  /** @param {string} url @param {string} protocol */
  constructor(url, protocol) {
    this.url = url;
    this.protocol = protocol;
    this.readyState = 0;
    /** @type {any[]} */
    this.sent = [];
    /** @type {any} */
    this.onopen = null;
    /** @type {any} */
    this.onmessage = null;
    /** @type {any} */
    this.onclose = null;
    FakeSocket.all.push(this);
  }

  static get newest() {
    return FakeSocket.all[FakeSocket.all.length - 1];
  }

  open() {
    this.readyState = FakeSocket.OPEN;
    this.onopen();
  }

  /** The connection breaks. */
  drop() {
    this.readyState = FakeSocket.CLOSED;
    this.onclose();
  }

  /** @param {string} text */
  send(text) {
    const message = JSON.parse(text);
    this.sent.push(message);
    FakeSocket.onMessage(message, this);
  }

  /** @param {object | ArrayBuffer} answer */
  answer(answer) {
    this.onmessage({ data: answer instanceof ArrayBuffer ? answer : JSON.stringify(answer) });
  }
}

let now = 1000;
/** @type {(() => void)[]} */
let frames = [];
/** @type {Map<number, {run: () => void, at: number}>} */
const timers = new Map();
let nextTimer = 1;

/** Draws frames 10 ms apart. @param {number} ms */
export function tick(ms) {
  for (const end = now + ms; now < end;) {
    now += Math.min(10, end - now);
    const due = frames;
    frames = [];
    for (const run of due) run();
  }
}

/** Runs timers due within some time, which passes. @param {number} ms @returns how many ran */
export function runTimers(ms) {
  now += ms;
  let ran = 0;
  for (const [id, { run, at }] of [...timers]) {
    if (at > now) continue;
    timers.delete(id);
    run();
    ran += 1;
  }
  return ran;
}

/** Lets promises and streams settle. */
export async function settle() {
  for (let i = 0; i < 25; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Waits for something that takes real time, such as compressing. @param {() => boolean} condition */
export async function until(condition) {
  for (let i = 0; i < 10_000 && !condition(); i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Listeners that the page has added to the window. @type {Record<string, ((event: any) => void)[]>} */
export const listeners = {};
/** The browser's history: addresses, and how each came about. @type {string[]} */
export const written = [];

/** @param {"push" | "replace"} how */
const write = (how) => (/** @type {any} */ _state, /** @type {string} */ _title, /** @type {string} */ url) => {
  written.push(`${how} ${url}`);
  world.location.hash = url;
};

world.location = { protocol: "http:", host: "127.0.0.1:8000", hash: "" };
world.document = { getElementById: () => ({ textContent: JSON.stringify(boot) }), addEventListener: () => {}, hidden: false };
world.WebSocket = FakeSocket;
world.history = { pushState: write("push"), replaceState: write("replace") };
world.addEventListener = (/** @type {string} */ type, /** @type {(event: any) => void} */ run) => (listeners[type] ??= []).push(run);
world.requestAnimationFrame = (/** @type {() => void} */ run) => frames.push(run);
world.performance.now = () => now;
world.setTimeout = (/** @type {() => void} */ run, ms = 0) => {
  timers.set(nextTimer, { run, at: now + ms });
  return nextTimer++;
};
world.clearTimeout = (/** @type {number} */ id) => timers.delete(id);
world.window = world;
