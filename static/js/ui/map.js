/** The network map: every node with its maps, joined by its edges. Arrows move between maps, Enter opens one on the stage. */
import { html } from "htm/preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { setSample } from "../actions.js";
import { backwards, focus, lang, layout, opened, sample, scaleMode, t } from "../state.js";
import { samplesOf } from "../steps.js";
import { backParts, fetchBack } from "./late.js";
import { BadNotice, firstBad } from "./map_bad.js";
import { Edges } from "./map_edges.js";
import { InputNode, PictureNode } from "./map_input.js";
import { NetworkLegend } from "./map_legend.js";
import { MapNode } from "./map_node.js";
import { ScaleChoice } from "./scale_choice.js";
import { Segmented } from "./segmented.js";

/** Sides of a thumbnail tried from the largest, px; below the last the map scrolls instead. Four rows of 33 px fill the height. */
const SIDES = [52, 44, 33, 30, 27, 25, 24];
/** And on the way back, where every map has its gradient below it. */
const SMALLER = [22, 20, 18];
/** Samples of a batch that can be shown. */
const MOST_SAMPLES = 8;
/** Rows of more than two thumbnails do not fit the height above this side. */
const TALLEST = 33;

export function NetworkMap() {
  const trace = opened.value;
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  const Back = trace?.target === undefined ? null : backParts.value;
  const back = Back !== null && backwards.value;
  useEffect(() => { if (trace?.target !== undefined) void fetchBack(); }, [trace]);
  const bad = firstBad(trace);
  const geometry = `${geometryOf(trace)} ${back} ${Back !== null}`;
  useFit(root, `${geometry} ${lang.value}`);
  useRoving(root);
  const most = Math.max(1, ...(trace?.nodes ?? []).map(({ shape }) => (shape.length === 4 ? shape[1] : 1)));
  return html`<nav class=${`map ${back ? "back" : ""}`} ref=${root} aria-label=${t.value("map.label")} data-testid="network-map" data-most=${most} onKeyDown=${moveBetween}>
    ${trace && html`<div class=${`map-row ${skips(trace.nodes) ? "skips" : ""} ${trace.nodes.length < 6 ? "few" : trace.nodes.length > 10 ? "many" : ""}`}>
      <${Edges} geometry=${geometry} />
      <${PictureNode} />
      <${InputNode} />
      ${trace.nodes.map((node) => html`<${MapNode} key=${node.name} node=${node} />`)}
      ${Back && html`<${Back.LossNode} />`}
    </div>
    ${trace && layout.value === "narrow" && html`<${ScaleChoice} />`}
    ${samplesOf(trace) > 1 && html`<div class="samples"><${Segmented} label=${t.value("map.sample")} prefix="sample-of-batch" value=${sample.value} onChoose=${setSample}
      choices=${Array.from({ length: Math.min(MOST_SAMPLES, samplesOf(trace)) }, (_, n) => ({ value: n, label: String(n) }))} /></div>`}
    ${bad && html`<${BadNotice} bad=${bad} />`}
    ${scaleMode.value === "network" && html`<${NetworkLegend} />`}`}
  </nav>`;
}

/** Whether a node reads another than the one before it: then the map keeps a lane free below. @param {{name: string, inputs: string[]}[]} nodes */
function skips(nodes) {
  return nodes.some(({ inputs }, i) => inputs.some((input) => input !== (nodes[i - 1]?.name ?? "input")));
}

/** Everything about a trace that decides where its nodes lie: another picture of the same size moves nothing, and costs no layout.
 * @param {import("../types.d.ts").Opened | null} trace */
function geometryOf(trace) {
  const nodes = (trace?.nodes ?? []).map(({ name, kind, shape, inputs }) => `${name} ${kind} ${shape} ${inputs}`);
  return [...nodes, trace?.input ? `${trace.input.width} ${trace.input.height}` : ""].join(";");
}

/** Picks the largest thumbnails with which the whole network fits, and again whenever the width changes.
 * @param {{current: HTMLElement | null}} root @param {string} geometry */
function useFit(root, geometry) {
  useLayoutEffect(() => {
    const map = root.current;
    if (!map) return;
    const fit = () => {
      const row = /** @type {HTMLElement | null} */ (map.querySelector(".map-row"));
      if (!row) return;
      const sides = [...SIDES, ...(map.classList.contains("back") ? SMALLER : [])].filter((side) => side <= TALLEST || Number(map.dataset.most) <= 4);
      const floor = row.clientHeight - parseFloat(getComputedStyle(row).paddingBottom);
      const nodes = /** @type {HTMLElement[]} */ ([...row.querySelectorAll("[data-node]")]);
      let tallest = sides[sides.length - 1];
      let fits = false;
      for (const side of sides) { // each try is a layout, about a millisecond
        row.style.setProperty("--thumb", `${side}px`);
        const low = nodes.every((node) => node.offsetTop + node.offsetHeight <= floor);
        if (low && tallest < side) tallest = side;
        fits = low && row.offsetWidth <= map.clientWidth;
        if (fits) break;
      }
      // what has to scroll anyway need not be small
      if (!fits) row.style.setProperty("--thumb", `${tallest}px`);
      map.dispatchEvent(new Event("refit"));
    };
    let width = map.clientWidth;
    const observer = new ResizeObserver(() => {
      if (map.clientWidth === width) return; // it reports once at the start, too
      width = map.clientWidth;
      fit();
    });
    observer.observe(map);
    fit();
    return () => observer.disconnect();
  }, [geometry]);
}

/** Exactly one map can be reached by Tab: the open one, else the last one moved to, else the first. @param {{current: HTMLElement | null}} root */
function useRoving(root) {
  const at = focus.value;
  useEffect(() => {
    const all = maps(root.current);
    const chosen = all.find((map) => map.classList.contains("sel")) ?? all.find((map) => map.tabIndex === 0) ?? all[0];
    for (const map of all) map.tabIndex = map === chosen ? 0 : -1;
    if (at) all.find((map) => map.classList.contains("sel"))?.scrollIntoView({ block: "nearest", inline: "nearest" });
  });
}

/** @param {Element | null} root @returns {HTMLElement[]} */
function maps(root) {
  return [...(root?.querySelectorAll("[data-map]") ?? [])].map((map) => /** @type {HTMLElement} */ (map));
}

/** Which way a key goes. @type {Record<string, [number, number]>} */
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Moves the focus to the nearest map in the direction of an arrow key; Home and End go to the ends. @param {KeyboardEvent} event */
function moveBetween(event) {
  const from = /** @type {HTMLElement} */ (event.target);
  if (!from.matches("[data-map]") || event.shiftKey || event.altKey) return;
  const all = maps(/** @type {Element} */ (event.currentTarget));
  const way = WAYS[event.key];
  const to = way ? nearest(all, from, way) : event.key === "Home" ? all[0] : event.key === "End" ? all.at(-1) : undefined;
  if (!way && !to) return;
  event.preventDefault();
  event.stopPropagation();
  if (!to) return;
  for (const map of all) map.tabIndex = map === to ? 0 : -1;
  to.focus();
}

/** The closest map in a direction; a sideways offset counts three times. @param {HTMLElement[]} all @param {HTMLElement} from @param {[number, number]} way */
export function nearest(all, from, [dx, dy]) {
  const centre = (/** @type {HTMLElement} */ map) => {
    const box = map.getBoundingClientRect();
    return [box.left + box.width / 2, box.top + box.height / 2];
  };
  const [x, y] = centre(from);
  let best, least = Infinity;
  for (const map of all) {
    const [mx, my] = centre(map);
    const along = (mx - x) * dx + (my - y) * dy;
    if (map === from || along < 4) continue;
    const aside = Math.abs((mx - x) * dy) + Math.abs((my - y) * dx);
    if (dy && aside > 20) continue; // up and down stay in the column
    if (along + 3 * aside < least) { least = along + 3 * aside; best = map; }
  }
  return best;
}
