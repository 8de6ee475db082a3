/** The clock of playing and its credits. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Credits, PlayHead } from "../../../static/js/lib/playback.js";

test("the head is where the clock says, once the steps are here", () => {
  const head = new PlayHead({ from: 100, steps: 1000, rate: 12, now: 5000 });
  head.arrived(150);
  assert.equal(head.at(5000), 100);
  assert.equal(head.at(5083), 100);
  assert.equal(head.at(5084), 101);
  assert.equal(head.at(7000), 124);
});

test("it waits for steps, and the clock waits with it: nothing is skipped when they come", () => {
  const head = new PlayHead({ from: 0, steps: 1000, rate: 100, now: 0 });
  assert.equal(head.at(1000), 0);
  head.arrived(11);
  assert.equal(head.at(1050), 5);
  assert.equal(head.at(9000), 10);
  head.arrived(30);
  assert.equal(head.at(9010), 11);
});

test("it stops at the last step", () => {
  const head = new PlayHead({ from: 90, steps: 100, rate: 1000, now: 0 });
  head.arrived(500); // ticks may promise more than there is
  assert.equal(head.at(10_000), 99);
  assert.ok(head.ends(99) && !head.ends(98));
});

test("windows that were passed wait no longer", () => {
  const head = new PlayHead({ from: 0, steps: 100, rate: 1000, now: 0 });
  for (const stop of [8, 16, 24]) head.arrived(stop);
  head.at(7);
  assert.equal(head.ahead.length, 3);
  head.at(17);
  assert.equal(head.ahead.length, 1);
});

test("no more windows are granted than may wait", () => {
  const credits = new Credits(4);
  assert.equal(credits.grant(0), 4);
  assert.equal(credits.grant(0), 0);
  credits.used();
  assert.equal(credits.grant(1), 0); // it came, but has not been played
  assert.equal(credits.grant(0), 1);
  credits.reset();
  assert.equal(credits.grant(0), 4);
});
