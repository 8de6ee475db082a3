/**
 * The socket: numbered requests with promises, pushed frames, reconnecting with full jitter.
 * Requests that were open when the connection broke are sent again after it is back: all of them are questions about a trace, and asking twice does no harm.
 */
import { decode } from "./lib/wire.js";
import { conn } from "./state.js";

/** @typedef {import("./types.d.ts").Frame} Frame */
/** @typedef {{message: Record<string, unknown>, resolve: (answer: any) => void, reject: (error: StreamError) => void}} Waiting */

/** What the server answered instead of what was asked for. */
export class StreamError extends Error {
  /** @param {{code: string, message: string, reason?: string, field?: string, value?: unknown, bound?: unknown}} answer */
  constructor(answer) {
    super(answer.message);
    this.code = answer.code;
    this.reason = answer.reason ?? "";
    this.field = answer.field ?? "";
    this.value = answer.value;
    this.bound = answer.bound;
  }
}

/** Longest wait between two attempts, ms. */
const LONGEST_MS = 8000;

/** @type {Map<number, Waiting>} */
const waiting = new Map();
/** @type {WebSocket | null} */
let socket = null;
let nextId = 1;
let attempts = 0;
let timer = 0;
/** Called for everything that no request waits for: pushed windows, ticks, the end of playing. @type {(answer: any) => void} */
let onPush = () => {};
/** Called when a broken connection is back, before the open requests are sent again. @type {() => void} */
let onResume = () => {};

/**
 * Opens the socket and keeps it open.
 * @param {(answer: any) => void} push @param {() => void} resume
 */
export function connect(push, resume) {
  onPush = push;
  onResume = resume;
  // a network that is back, or a page that is looked at again, need not wait for the timer
  addEventListener("online", hurry);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) hurry(); });
  dial();
}

function hurry() {
  if (conn.peek() !== "open" && socket?.readyState === WebSocket.CLOSED) dial();
}

function dial() {
  clearTimeout(timer);
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const ws = new WebSocket(`${scheme}://${location.host}/ws`, "convoscope.v1");
  ws.binaryType = "arraybuffer";
  socket = ws;
  ws.onopen = () => {
    const again = conn.peek() === "lost";
    const unanswered = [...waiting.values()];
    attempts = 0;
    conn.value = "open";
    if (again) onResume();
    for (const { message } of unanswered) ws.send(JSON.stringify(message));
  };
  ws.onmessage = ({ data }) => receive(data);
  ws.onclose = () => {
    if (socket !== ws) return;
    conn.value = conn.peek() === "connecting" ? "connecting" : "lost";
    attempts += 1;
    // full jitter: 300 browsers of a class must not come back in the same moment
    timer = window.setTimeout(dial, Math.random() * Math.min(LONGEST_MS, 250 * 2 ** attempts));
  };
}

/** @param {string | ArrayBuffer} data */
function receive(data) {
  const answer = typeof data === "string" ? JSON.parse(data) : decode(data);
  const re = Number(answer.re ?? answer.meta?.re);
  const asked = waiting.get(re);
  if (!asked) return onPush(answer);
  waiting.delete(re);
  if (answer.type === "error") asked.reject(new StreamError(answer));
  else asked.resolve(answer);
}

/**
 * Asks and waits. A superseded request resolves to null.
 * @param {Record<string, unknown>} message without id @returns {Promise<any>}
 */
export function request(message) {
  const id = nextId++;
  const whole = { id, ...message };
  return new Promise((resolve, reject) => {
    waiting.set(id, { message: whole, resolve: (answer) => resolve(answer.type === "superseded" ? null : answer), reject });
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(whole));
  });
}

/** Says something without waiting for an answer. @param {Record<string, unknown>} message @returns {number} its id */
export function tell(message) {
  const id = nextId++;
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ id, ...message }));
  return id;
}
