/** A pad to draw a picture on: mouse, touch or pen, dark on light, as on paper. What is drawn is uploaded like any picture. */
import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../state.js";
import { Dialog } from "./dialog.js";
import { icon } from "./icons.js";
import { take } from "./pictures.js";

/** Pixels per side: ten for each of LeNet's 28, so that strokes keep their grey edges when they are made small. */
const SIDE = 280;
const PAPER = "#ffffff";
const INK = "#15161a";

/** @typedef {{width: number, points: [number, number, number][]}} Stroke points: x, y, pressure */

/** @param {CanvasRenderingContext2D} ctx @param {Stroke[]} strokes */
function redraw(ctx, strokes) {
  ctx.fillStyle = PAPER;
  ctx.fillRect(0, 0, SIDE, SIDE);
  for (const stroke of strokes) for (let i = 0; i < stroke.points.length; i++) segment(ctx, stroke, i);
}

/** The piece of a stroke that ends in point i; the first is a dot. @param {CanvasRenderingContext2D} ctx @param {Stroke} stroke @param {number} i */
function segment(ctx, stroke, i) {
  const [x, y, pressure] = stroke.points[i];
  const [x0, y0] = stroke.points[Math.max(0, i - 1)];
  ctx.strokeStyle = INK;
  ctx.lineCap = "round";
  ctx.lineWidth = stroke.width * (0.4 + 1.2 * pressure);
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x, y);
  ctx.stroke();
}

/** @param {{onClose: () => void}} props */
export function DrawPad({ onClose }) {
  const tr = t.value;
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const [strokes, setStrokes] = useState(/** @type {Stroke[]} */ ([]));
  const [width, setWidth] = useState(22);
  const now = useRef(/** @type {Stroke | null} */ (null));
  const context = () => /** @type {CanvasRenderingContext2D} */ (canvas.current?.getContext("2d"));
  useEffect(() => redraw(context(), strokes), [strokes]);

  const point = (/** @type {PointerEvent} */ event) => {
    const box = /** @type {HTMLCanvasElement} */ (canvas.current).getBoundingClientRect();
    const pressure = event.pointerType === "pen" ? event.pressure : 0.5;
    now.current?.points.push([((event.clientX - box.left) * SIDE) / box.width, ((event.clientY - box.top) * SIDE) / box.height, pressure]);
    if (now.current) segment(context(), now.current, now.current.points.length - 1);
  };
  const down = (/** @type {PointerEvent} */ event) => {
    if (event.button !== 0 || now.current) return; // one finger draws, a second one does not
    canvas.current?.setPointerCapture(event.pointerId);
    now.current = { width, points: [] };
    point(event);
  };
  const move = (/** @type {PointerEvent} */ event) => {
    if (!now.current) return;
    const all = event.getCoalescedEvents?.() ?? [];
    for (const one of all.length ? all : [event]) point(one);
  };
  const up = () => {
    if (now.current) setStrokes([...strokes, now.current]);
    now.current = null;
  };
  const use = () => canvas.current?.toBlob((blob) => blob && void take(blob), "image/png");

  return html`<${Dialog} title=${tr("draw.title")} testid="draw-pad" look="draw-pad" onClose=${onClose}>
    <canvas ref=${canvas} width=${SIDE} height=${SIDE} role="img" aria-label=${tr("draw.canvas")} data-testid="draw-canvas"
      onPointerDown=${down} onPointerMove=${move} onPointerUp=${up} onPointerCancel=${up}></canvas>
    <div class="tools">
      <label class="field">${tr("draw.brush")}<input type="range" min="4" max="44" value=${width} data-testid="draw-brush"
        onInput=${(/** @type {any} */ event) => setWidth(Number(event.target.value))} /></label>
      <button type="button" class="btn" data-testid="draw-undo" disabled=${!strokes.length} onClick=${() => setStrokes(strokes.slice(0, -1))}>${icon("undo", 16)}${tr("draw.undo")}</button>
      <button type="button" class="btn" data-testid="draw-clear" disabled=${!strokes.length} onClick=${() => setStrokes([])}>${icon("trash", 16)}${tr("draw.clear")}</button>
      <button type="button" class="btn go" data-testid="draw-use" disabled=${!strokes.length} onClick=${use}>${tr("draw.use")}</button>
    </div>
  <//>`;
}
