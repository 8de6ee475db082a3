/** A histogram of what was drawn, with the smallest, the largest value and zero marked. */
import { html } from "htm/preact";
import { number } from "./numbers.js";

const WIDTH = 320;
const HEIGHT = 64;
const FLOOR = 50;

/** @param {{histogram: {edges: number[], counts: number[]}, label: string}} props edges: one more than counts */
export function Histogram({ histogram: { edges, counts }, label }) {
  const [low, high] = [edges[0], edges[edges.length - 1]];
  const most = Math.max(1, ...counts);
  /** @param {number} v */
  const x = (v) => (high > low ? ((v - low) / (high - low)) * WIDTH : WIDTH / 2);
  const zero = low < 0 && high > 0;
  return html`<svg class="hist" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label=${`${label}: ${number(low)} … ${number(high)}`}>
    ${counts.map((count, i) => {
      const height = (count / most) * (FLOOR - 4);
      return count > 0 && html`<rect key=${i} x=${x(edges[i]) + 0.5} y=${FLOOR - height} width=${Math.max(1, x(edges[i + 1]) - x(edges[i]) - 1)} height=${height} rx="1" />`;
    })}
    <line x1="0" x2=${WIDTH} y1=${FLOOR + 0.5} y2=${FLOOR + 0.5} />
    ${zero && html`<line x1=${x(0)} x2=${x(0)} y1="2" y2=${FLOOR + 3} stroke-dasharray="2 2" /><text x=${x(0)} y="62" text-anchor="middle">0</text>`}
    <text x="0" y="62">${number(low)}</text><text x=${WIDTH} y="62" text-anchor="end">${number(high)}</text>
  </svg>`;
}
