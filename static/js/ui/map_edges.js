/** The edges of the network: soft curves between neighbours, a firm line below for connections that skip nodes. */
import { html } from "htm/preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { focus, layout, opened, scaleMode, t } from "../state.js";

/** @typedef {{left: number, right: number, top: number, bottom: number}} Box */
/** @typedef {{path: string, skip: boolean, lit: boolean}} Edge */

/** Heights at which the curves of an edge leave and arrive, as shares of the boxes: five say "everything meets everything". */
const FAN = [[0.2, 0.2], [0.5, 0.5], [0.8, 0.8], [0.2, 0.8], [0.8, 0.2]];

/** @param {Box} a @param {Box} b @returns {string[]} curves from the right side of a to the left side of b */
function curves(a, b) {
  const [x0, x1] = [a.right + 5, b.left - 5];
  const middle = (x0 + x1) / 2;
  return FAN.map(([u, v]) => {
    const [y0, y1] = [a.top + (a.bottom - a.top) * u, b.top + (b.bottom - b.top) * v];
    return `M${x0} ${y0}C${middle} ${y0} ${middle} ${y1} ${x1} ${y1}`;
  });
}

/** @param {Box} a @param {Box} b @param {number} floor @returns {string} a line from a, along the floor, up to b */
function detour(a, b, floor) {
  const [x0, x1] = [a.right + 5, b.left - 5];
  const [y0, y1] = [a.top + (a.bottom - a.top) * 0.9, b.top + (b.bottom - b.top) * 0.9];
  const r = 16;
  return `M${x0} ${y0}C${x0 + r} ${y0} ${x0} ${floor} ${x0 + r} ${floor}L${x1 - r} ${floor}C${x1} ${floor} ${x1 - r} ${y1} ${x1} ${y1}`;
}

export function Edges() {
  const svg = useRef(/** @type {SVGSVGElement | null} */ (null));
  const [edges, setEdges] = useState(/** @type {Edge[]} */ ([]));
  const trace = opened.value;
  const lit = focus.value?.node;
  useLayoutEffect(() => {
    const row = svg.current?.parentElement;
    const map = row?.parentElement;
    if (!row || !map || !trace) return;
    const draw = () => setEdges(layOut(row, trace.nodes, lit));
    draw();
    map.addEventListener("refit", draw);
    return () => map.removeEventListener("refit", draw);
  }, [trace, lit, layout.value, scaleMode.value, t.value]);
  return html`<svg class="edges" ref=${svg} aria-hidden="true">
    ${edges.map(({ path, skip, lit: on }, i) => html`<path key=${i} d=${path} class=${`${skip ? "skip-edge" : ""} ${on ? "lit" : ""}`} />`)}</svg>`;
}

/** @param {HTMLElement} row @param {import("../types.d.ts").NodeInfo[]} nodes @param {string | undefined} lit node whose inputs are shown strongly */
function layOut(row, nodes, lit) {
  const origin = row.getBoundingClientRect();
  const names = ["input", ...nodes.map(({ name }) => name)];
  /** @param {string} name @returns {Box | null} */
  const boxOf = (name) => {
    const box = row.querySelector(`[data-node="${name}"] [data-maps]`)?.getBoundingClientRect();
    return box ? { left: box.left - origin.left, right: box.right - origin.left, top: box.top - origin.top, bottom: box.bottom - origin.top } : null;
  };
  /** @type {Edge[]} */
  const edges = [];
  for (const node of nodes) {
    for (const input of node.inputs) {
      const [a, b] = [boxOf(input), boxOf(node.name)];
      if (!a || !b) continue;
      const skip = names.indexOf(node.name) - names.indexOf(input) > 1;
      const paths = skip ? [detour(a, b, origin.height - 6)] : curves(a, b);
      edges.push(...paths.map((path) => ({ path, skip, lit: node.name === lit })));
    }
  }
  return edges;
}
