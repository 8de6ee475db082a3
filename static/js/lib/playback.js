/** The play-head: which step is due at which time. It never runs ahead of the steps that have arrived. Times are in ms. */

export class PlayHead {
  /** @param {{from: number, steps: number, rate: number, now: number}} start `from` the first step, `steps` of the trace, `rate` steps per second */
  constructor({ from, steps, rate, now }) {
    this.from = from;
    this.since = now;
    this.steps = steps;
    this.rate = rate;
    /** Steps before this one are here. */
    this.stop = from;
    /** Ends of the windows that the head has not passed. @type {number[]} */
    this.ahead = [];
  }

  /** Steps up to `stop` are here. @param {number} stop */
  arrived(stop) {
    this.stop = Math.max(this.stop, Math.min(stop, this.steps));
    this.ahead.push(stop);
  }

  /** The step under the head; where steps are missing the head waits, and the clock with it. @param {number} now */
  at(now) {
    const due = this.from + Math.floor(((now - this.since) * this.rate) / 1000);
    const last = Math.max(this.from, this.stop - 1);
    if (due > last) [this.from, this.since] = [last, now];
    const at = Math.min(due, last);
    while (this.ahead.length > 0 && this.ahead[0] <= at) this.ahead.shift();
    return at;
  }

  /** @param {number} at a step from `at()` */
  ends(at) {
    return at >= this.steps - 1;
  }
}

/** Windows that the server may still push: together with those that wait to be played never more than `most`. */
export class Credits {
  /** @param {number} most */
  constructor(most) {
    this.most = most;
    this.out = 0;
  }

  /** A window came. */
  used() {
    this.out = Math.max(0, this.out - 1);
  }

  /** How many more to grant, `waiting` windows being here unplayed. They count as granted from now on. @param {number} waiting */
  grant(waiting) {
    const more = Math.max(0, this.most - this.out - waiting);
    this.out += more;
    return more;
  }

  /** A new connection knows of none. */
  reset() {
    this.out = 0;
  }
}
