const query = window.matchMedia("(prefers-reduced-motion: reduce)");

/** Steps closer together than this are playback: easing would lag behind the numbers. */
const QUICK_MS = 110;
const EASE_MS = 130;

/**
 * Eases a rectangle from where it was to where it is now: the ring glides to the next window when somebody steps by hand, and jumps when
 * steps follow fast or motion is unwelcome.
 * @returns {{to: (box: Box, draw: (box: Box) => void) => void, stop: () => void}}
 * @typedef {{x: number, y: number, w: number, h: number}} Box
 */
export function glide() {
  /** @type {Box | null} */
  let last = null;
  let changed = -Infinity;
  let frame = 0;
  return {
    to(box, draw) {
      cancelAnimationFrame(frame);
      const now = performance.now();
      const same = last && last.x === box.x && last.y === box.y && last.w === box.w && last.h === box.h;
      const from = last;
      if (!same) {
        const quick = now - changed < QUICK_MS;
        changed = now;
        if (from && !quick && !query.matches && Math.abs(from.w - box.w) < 1) {
          const tick = (/** @type {number} */ at) => {
            const u = Math.min(1, Math.max(0, (at - now) / EASE_MS));
            const e = 1 - (1 - u) ** 3;
            last = mix(from, box, e);
            draw(last);
            if (u < 1) frame = requestAnimationFrame(tick);
          };
          tick(now);
          return;
        }
      }
      last = box;
      draw(box);
    },
    stop() {
      cancelAnimationFrame(frame);
    },
  };
}

/** @param {Box} a @param {Box} b @param {number} u @returns {Box} */
function mix(a, b, u) {
  const at = (/** @type {number} */ p, /** @type {number} */ q) => p + (q - p) * u;
  return { x: at(a.x, b.x), y: at(a.y, b.y), w: b.w, h: b.h };
}
