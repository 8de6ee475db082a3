/** Which pixels speak for a class: three maps over the picture, each cell one click from the steps that made it. */
import { html } from "htm/preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { jumpTo, openScenario } from "../actions.js";
import { planeImage, rgbImage } from "../draw/heat.js";
import { ravel } from "../lib/cells.js";
import { visit } from "../link.js";
import { mapData, opened, t, theme } from "../state.js";
import { ask } from "../tensors.js";
import { errorText } from "../errors.js";
import { full, mid } from "../views/parts/numbers.js";
import { Legend } from "../views/parts/Legend.js";
import { FloatingCard } from "./floating.js";
import { panel } from "./panel.js";
import { Segmented } from "./segmented.js";

/** @typedef {import("../types.d.ts").Frame} Frame */

const METHODS = /** @type {const} */ (["gradient", "gradient_input", "grad_cam"]);
/** Side of the pictures, CSS px. */
const SIDE = 264;
/** How much of the picture is seen through the map. */
const VEIL = 0.72;

export function SaliencyCard() {
  const tr = t.value;
  const trace = opened.value;
  const classes = trace?.nodes.at(-1)?.shape.length === 2 ? trace.nodes[trace.nodes.length - 1].shape[1] : 0;
  const target = typeof trace?.scenario.target === "number" ? trace.scenario.target : Array.isArray(trace?.scenario.target) ? Number(trace?.scenario.target[0]) || 0 : 0;
  const [chosen, choose] = useState(target);
  const [method, setMethod] = useState(/** @type {typeof METHODS[number]} */ ("gradient"));
  const { frame, error } = useMap(trace, Math.min(chosen, Math.max(0, classes - 1)), method);
  return html`<${FloatingCard} title=${tr("saliency.title")} testid="saliency-card" look="saliency">
    <p class="faint">${tr("saliency.lead")}</p>
    ${!classes ? html`<p>${tr("saliency.none")}</p>` : html`
      <div class="init-bar">
        <${Segmented} label=${tr("saliency.class")} prefix="saliency-class" value=${String(chosen)} onChoose=${(/** @type {string} */ k) => choose(Number(k))}
          choices=${Array.from({ length: classes }, (_, k) => ({ value: String(k), label: String(k) }))} />
        <${Segmented} label=${tr("saliency.method")} prefix="saliency" value=${method} onChoose=${setMethod}
          choices=${METHODS.map((value) => ({ value, label: tr(`saliency.${value}`) }))} />
      </div>
      ${error && html`<p class="check off">${error}</p>`}
      ${frame && html`<${Picture} frame=${frame} />`}
      <p>${tr(`saliency.${method}.about`)}</p>`}
  <//>`;
}

/** The newest map; the one before stays until it comes. @param {import("../types.d.ts").Opened | null} trace @param {number} target @param {string} method */
function useMap(trace, target, method) {
  const [found, setFound] = useState({ frame: /** @type {Frame | null} */ (null), error: "" });
  useEffect(() => {
    if (!trace) return undefined;
    let wanted = true;
    ask(trace, { type: "saliency", class: target, method }).then(
      (frame) => { if (wanted) setFound({ frame, error: "" }); },
      (error) => { if (wanted) setFound({ frame: null, error: errorText(error) }); },
    );
    return () => { wanted = false; };
  }, [trace, target, method]);
  return found;
}

/** The picture alone, and under the map. @param {{frame: Frame}} props */
function Picture({ frame }) {
  const tr = t.value;
  const plain = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const veiled = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const { shape } = frame.columns.map;
  const data = /** @type {Float32Array} */ (frame.columns.map.data);
  const [rows, cols] = shape.slice(-2);
  const absmax = data.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  const look = theme.value;
  useLayoutEffect(() => {
    if (!plain.current || !veiled.current) return;
    drawInput(plain.current, look);
    drawInput(veiled.current, look);
    const ctx = /** @type {CanvasRenderingContext2D} */ (veiled.current.getContext("2d"));
    ctx.globalAlpha = VEIL;
    ctx.imageSmoothingEnabled = false;
    const image = planeImage({ data, offset: 0, rows, cols }, { accent: "grad", absmax: absmax || 1, theme: look });
    ctx.drawImage(image, 0, 0, veiled.current.width, veiled.current.height);
    ctx.globalAlpha = 1;
  }, [frame, look]);
  const [at, setAt] = useState(/** @type {{y: number, x: number} | null} */ (null));
  const find = (/** @type {any} */ event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const [u, v] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    return { y: Math.max(0, Math.min(rows - 1, Math.floor(v * rows))), x: Math.max(0, Math.min(cols - 1, Math.floor(u * cols))) };
  };
  return html`<div class="saliency-pair">
    <canvas ref=${plain} width=${SIDE * 2} height=${SIDE * 2} role="img" aria-label=${tr("map.picture")}></canvas>
    <button type="button" data-testid="saliency-map" title=${tr("saliency.jump")} onPointerMove=${(/** @type {any} */ event) => setAt(find(event))} onPointerLeave=${() => setAt(null)}
      onClick=${(/** @type {any} */ event) => void toSteps(frame, event.detail ? find(event) : strongest(data, cols))}>
      <canvas ref=${veiled} width=${SIDE * 2} height=${SIDE * 2} role="img" aria-label=${tr("saliency.title")}></canvas></button>
    <div class="saliency-facts">
      <${Legend} accent="grad" absmax=${absmax} theme=${look} scope="map" w=${180} t=${tr} />
      <p>${tr("saliency.score", { k: frame.meta.class })} <b data-testid="saliency-score" title=${full(Number(frame.meta.score))}>${mid(Number(frame.meta.score))}</b></p>
      <p>${tr("saliency.most")} <b data-testid="saliency-most" title=${full(absmax)}>${mid(absmax)}</b></p>
      <p class="faint">${at ? html`[${at.y}, ${at.x}] = ${full(data[at.y * cols + at.x])}` : tr("saliency.jump")}</p>
    </div>
  </div>`;
}

/** The input as the network gets it, filling a square. @param {HTMLCanvasElement} canvas @param {"light" | "dark"} look */
function drawInput(canvas, look) {
  const view = mapData.peek().get("input");
  const info = opened.peek()?.input;
  if (!view) return;
  const [channels, rows, cols] = view.shape.slice(-3);
  const image = info && channels === 3 ? rgbImage(view.data, 0, rows, cols, info.mean, info.std)
    : planeImage({ data: view.data, offset: 0, rows, cols }, info ? { accent: "grey", absmax: 1, theme: look, mean: info.mean[0], std: info.std[0] }
      : { accent: "value", absmax: Math.max(Math.abs(view.min ?? 0), Math.abs(view.max ?? 0)) || 1, theme: look });
  const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  ctx.imageSmoothingEnabled = false;
  ctx.drawImage(image, 0, 0, canvas.width, canvas.height);
}

/** @param {Float32Array} data @param {number} cols */
function strongest(data, cols) {
  let most = 0;
  data.forEach((v, i) => { if (Math.abs(v) > Math.abs(data[most])) most = i; });
  return { y: Math.floor(most / cols), x: most % cols };
}

/** Opens the trace of the class's score at the gradient behind a cell of the map. @param {Frame} frame @param {{y: number, x: number}} at */
async function toSteps({ meta, columns }, { y, x }) {
  panel.value = null;
  visit();
  if (!(await openScenario(JSON.parse(meta.scenario), { focus: null }))) return;
  const block = opened.peek()?.blocks.find(({ writes }) => writes === meta.tensor);
  if (!block) return;
  const alpha = /** @type {Float32Array | undefined} */ (columns.alpha?.data);
  // of Grad-CAM's channels the one that weighs most
  const channel = alpha ? alpha.indexOf(alpha.reduce((most, v) => Math.max(most, v), -Infinity)) : 0;
  await jumpTo(meta.tensor, ravel([0, Math.max(0, channel), y, x], block.shape));
}
