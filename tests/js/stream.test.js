/** The socket: questions and answers, breaks, and coming back. */
import { FakeSocket, listeners, runTimers } from "./browser.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { conn } from "../../static/js/state.js";
import { connect, request, StreamError, tell } from "../../static/js/stream.js";

/** @type {any[]} */
const pushes = [];
let resumed = 0;
connect((answer) => pushes.push(answer), () => {
  resumed += 1;
  request({ type: "open", again: true }).catch(() => null);
});

test("the socket is asked for at once, with the protocol's name; what is asked before it is open waits", async () => {
  const socket = FakeSocket.newest;
  assert.equal(socket.url, "ws://127.0.0.1:8000/ws");
  assert.equal(socket.protocol, "convoscope.v1");
  const answer = request({ type: "open" });
  assert.deepEqual(socket.sent, []);
  assert.equal(conn.value, "connecting");
  socket.open();
  assert.equal(conn.value, "open");
  assert.deepEqual(socket.sent, [{ id: 1, type: "open" }]);
  assert.equal(resumed, 0);
  socket.answer({ re: 1, type: "opened", steps: 3 });
  assert.equal((await answer).steps, 3);
});

test("answers find their questions in any order; errors reject, superseded is null", async () => {
  const socket = FakeSocket.newest;
  const asked = [1, 2, 3].map((n) => request({ type: "steps", n }));
  const ids = socket.sent.slice(-3).map(({ id }) => id);
  socket.answer({ re: ids[2], type: "superseded" });
  socket.answer({ re: ids[0], type: "error", code: "E_RANGE", message: "stop 9 is outside", field: "stop" });
  socket.answer({ re: ids[1], type: "fine" });
  await assert.rejects(asked[0], (error) => error instanceof StreamError && error.code === "E_RANGE" && error.field === "stop" && error.message === "stop 9 is outside");
  assert.equal((await asked[1]).type, "fine");
  assert.equal(await asked[2], null);
});

test("what nobody waits for is a push", () => {
  const id = tell({ type: "play" });
  FakeSocket.newest.answer({ re: id, type: "tick", step: 4 });
  FakeSocket.newest.answer({ re: null, type: "error", code: "E_MESSAGE", message: "?" });
  assert.deepEqual(pushes.map(({ type }) => type), ["tick", "error"]);
});

test("after a break the page says so, comes back, resumes first, and asks again what was not answered, once", async () => {
  const before = FakeSocket.newest;
  const waiting = request({ type: "steps", start: 5 });
  before.drop();
  assert.equal(conn.value, "lost");
  const meanwhile = request({ type: "tensor", name: "x" });
  assert.equal(runTimers(8000), 1);
  const socket = FakeSocket.newest;
  assert.notEqual(socket, before);
  assert.equal(conn.value, "lost");
  socket.open();
  assert.equal(conn.value, "open");
  assert.equal(resumed, 1);
  assert.deepEqual(socket.sent.map(({ type }) => type), ["open", "steps", "tensor"]);
  for (const { id, type } of socket.sent) socket.answer({ re: id, type: `${type} answered` });
  assert.equal((await waiting).type, "steps answered");
  assert.equal((await meanwhile).type, "tensor answered");
});

test("the wait between attempts is random and grows, up to 8 s", () => {
  const random = Math.random;
  try {
    Math.random = () => 1;
    for (const longest of [500, 1000, 2000, 4000, 8000, 8000]) {
      FakeSocket.newest.drop();
      assert.equal(runTimers(longest - 1), 0);
      assert.equal(runTimers(1), 1);
    }
    Math.random = () => 0;
    FakeSocket.newest.drop();
    assert.equal(runTimers(0), 1);
  } finally {
    Math.random = random;
  }
  FakeSocket.newest.open();
  assert.equal(conn.value, "open");
});

test("a network that is back is tried at once, and only once", () => {
  FakeSocket.newest.drop();
  const n = FakeSocket.all.length;
  listeners.online[0]({});
  listeners.online[0]({});
  assert.equal(FakeSocket.all.length, n + 1);
  runTimers(9000);
  assert.equal(FakeSocket.all.length, n + 1);
  FakeSocket.newest.open();
});
