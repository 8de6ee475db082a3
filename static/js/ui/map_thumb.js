/** One feature map as a thumbnail, and the mark that says when all of them are on screen. */
import { html } from "htm/preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { focusMap, jumpTo } from "../actions.js";
import { drawPixels } from "../draw/heat.js";
import { number } from "./numbers.js";
import { sample, t, theme } from "../state.js";
import { hoverMap } from "./panel.js";
import { still } from "./map_still.js";
import { painted } from "./painted.js";
import { channelRanges } from "./scale.js";
import { absmax as absmaxOf } from "./stage_props.js";

/** @typedef {import("../types.d.ts").TensorView} TensorView */

/**
 * Draws one channel at the size it has on screen; larger maps are averaged, smaller ones keep sharp cells.
 * @param {HTMLCanvasElement} canvas @param {TensorView} view @param {number} plane counted over samples and channels @param {number} absmax
 * @param {"light" | "dark"} theme @param {import("../types.d.ts").Accent} accent
 */
function paintThumb(canvas, view, plane, absmax, theme, accent) {
  const [rows, cols] = view.shape.slice(-2);
  // giving a canvas a size, even its own, makes the browser allocate it anew
  if (canvas.width !== cols) canvas.width = cols;
  if (canvas.height !== rows) canvas.height = rows;
  drawPixels(canvas, { data: view.data, offset: plane * rows * cols, rows, cols }, { accent, absmax, theme });
  canvas.classList.toggle("up", cols <= 32);
}

/** Opens a map and hands the keys to the stage, so that the arrows now step. @param {string} node @param {number} channel */
export function open(node, channel) {
  focusMap(node, channel);
  document.getElementById("stage-slot")?.focus({ preventScroll: true });
}

/** Opens the step that wrote the first cell of a gradient map, and hands the keys to the stage. @param {string} name @param {number} cell */
export function openGradient(name, cell) {
  void jumpTo(name, cell);
  document.getElementById("stage-slot")?.focus({ preventScroll: true });
}

/**
 * @param {{node: string, name: string, view: TensorView | undefined, channel: number, shape: number[], selected: boolean, dim: boolean, grad?: boolean, children?: any}} props
 *   name: of the tensor; grad: it is the gradient of the node's output
 */
export function Thumb({ node, name, view, channel, shape, selected, dim, grad = false, children }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const absmax = absmaxOf(name, channel);
  const plane = Math.min(sample.value, shape[0] - 1) * shape[1] + channel;
  const look = theme.value;
  useLayoutEffect(() => {
    if (!canvas.current || !view) return;
    paintThumb(canvas.current, view, plane, absmax, look, grad ? "grad" : "value");
    still(canvas.current);
    if (!grad) painted(name, view);
  }, [view, plane, absmax, look]);
  const range = view && channelRanges(view)[plane];
  const label = range
    ? t.value(grad ? "map.gradient" : "map.channel", { node, channel, min: number(range.min), max: number(range.max) })
    : t.value("map.channel.waiting", { node, channel });
  const [rows, cols] = shape.slice(-2);
  const size = { "--h": rows === cols ? "var(--w)" : `calc(var(--w) * ${Math.max(0.2, Math.min(1, rows / cols))})` };
  return html`<button type="button" class=${`${selected ? "sel" : ""} ${grad ? "grad" : ""} ${dim ? "later" : ""}`} tabindex="-1" data-map=${node}
    data-testid=${`${grad ? "grad" : "map"}-${node}-${channel}`}
    aria-label=${label} title=${label} aria-current=${selected ? "true" : undefined} style=${size} onClick=${() => (grad ? openGradient(name, plane * rows * cols) : open(node, channel))}
    onPointerEnter=${() => (hoverMap.value = { node, channel })}>
    <canvas ref=${canvas} width="1" height="1"></canvas><img alt="" />${children}</button>`;
}
