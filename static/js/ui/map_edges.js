/** The edges of the network: soft curves between neighbours, a firm line below for connections that skip nodes. */
import { html } from "htm/preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { backwards, focus, layout, opened, scaleMode, t } from "../state.js";

/** @typedef {{left: number, right: number, top: number, bottom: number, count: number}} Box count: maps in it */
/** @typedef {{path: string, skip: boolean, middle: boolean, to: string}} Edge middle: of a fan; to: the node it ends in */

/** Heights at which the curves of an edge leave and arrive, as shares of the boxes: five say "everything meets everything". */
const FAN = [[0.2, 0.2], [0.5, 0.5], [0.8, 0.8], [0.2, 0.8], [0.8, 0.2]];

const TIP = "url(#edge-tip)";

/** @param {Box} a @param {Box} b @param {boolean} single one map to one map @returns {string[]} curves from the right side of a to the left side of b */
function curves(a, b, single) {
  const [x0, x1] = [a.right + 3, b.left - 3];
  const middle = (x0 + x1) / 2;
  // too close to cross: three short lines say it without a scribble
  if (x1 - x0 < 14) return [0.2, 0.5, 0.8].map((u) => `M${x0} ${a.top + (a.bottom - a.top) * u}H${x1}`).slice(single ? 1 : 0, single ? 2 : 3);
  return (single ? [FAN[1]] : FAN).map(([u, v]) => {
    const [y0, y1] = [a.top + (a.bottom - a.top) * u, b.top + (b.bottom - b.top) * v];
    return `M${x0} ${y0}C${middle} ${y0} ${middle} ${y1} ${x1} ${y1}`;
  });
}

/** @param {Box} a @param {Box} b feet of two nodes @param {number} floor @returns {string} a line from under a, along the floor, up to b */
function detour(a, b, floor) {
  const [x0, x1] = [(a.left + a.right) / 2, (b.left + b.right) / 2];
  const [y0, y1, r] = [a.bottom + 1, b.bottom + 4, 7];
  return `M${x0} ${y0}V${floor - r}Q${x0} ${floor} ${x0 + r} ${floor}H${x1 - r}Q${x1} ${floor} ${x1} ${floor - r}V${y1}`;
}

/** @param {{geometry: string}} props changes when nodes may have moved */
export function Edges({ geometry }) {
  const svg = useRef(/** @type {SVGSVGElement | null} */ (null));
  const [edges, setEdges] = useState(/** @type {Edge[]} */ ([]));
  const lit = focus.value?.node;
  useLayoutEffect(() => {
    const row = svg.current?.parentElement;
    const map = row?.parentElement;
    if (!row || !map) return;
    const draw = () => setEdges(layOut(row, opened.peek()?.nodes ?? []));
    draw();
    map.addEventListener("refit", draw);
    return () => map.removeEventListener("refit", draw);
  }, [geometry, layout.value, scaleMode.value, t.value]);
  const back = backwards.value;
  return html`<svg class=${`edges ${back ? "back" : ""}`} ref=${svg} aria-hidden="true">
    <defs><marker id="edge-tip" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" /></marker></defs>
    ${edges.map(({ path, skip, middle, to }, i) => html`<path key=${i} d=${path} class=${`${skip ? "skip-edge" : ""} ${to === "input" ? "picture-edge" : ""} ${to === lit ? "lit" : ""}`} marker-end=${skip && !back ? TIP : undefined} marker-start=${back && middle ? TIP : undefined} />`)}</svg>`;
}

/** @param {HTMLElement} row @param {import("../types.d.ts").NodeInfo[]} nodes */
function layOut(row, nodes) {
  const origin = row.getBoundingClientRect();
  const names = ["input", ...nodes.map(({ name }) => name), "loss"];
  /** @param {string} name @param {string} part @returns {Box | null} */
  const boxOf = (name, part = "[data-maps]") => {
    const element = row.querySelector(`[data-node="${name}"] ${part}`);
    const box = element?.getBoundingClientRect();
    return element && box ? { count: element.childElementCount, left: box.left - origin.left, right: box.right - origin.left, top: box.top - origin.top, bottom: box.bottom - origin.top } : null;
  };
  /** @type {Edge[]} */
  const edges = [];
  const [from, to] = [boxOf("picture"), boxOf("input")];
  if (from && to) edges.push({ path: `M${from.right + 4} ${(from.top + from.bottom) / 2}H${to.left - 5}`, skip: true, middle: false, to: "input" });
  const end = nodes[nodes.length - 1];
  for (const node of end ? [...nodes, { name: "loss", inputs: [end.name] }] : []) {
    for (const input of node.inputs) {
      const [a, b] = [boxOf(input), boxOf(node.name)];
      if (!a || !b) continue;
      const skip = names.indexOf(node.name) - names.indexOf(input) > 1;
      const feet = skip && [boxOf(input, "[data-foot]") ?? a, boxOf(node.name, "[data-foot]") ?? b];
      const paths = feet ? [detour(feet[0], feet[1], origin.height - 5)] : curves(a, b, a.count * b.count === 1);
      edges.push(...paths.map((path, i) => ({ path, skip, middle: i === Math.min(1, paths.length - 1), to: node.name })));
    }
  }
  return edges;
}
