/** The first two stations of the map: the picture as it came, and what the network gets of it. */
import { html } from "htm/preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { jumpTo } from "../actions.js";
import { planeImage, rgbImage } from "../draw/heat.js";
import { mapData, opened, t, theme } from "../state.js";
import { panel, togglePanel } from "./panel.js";
import { tensorMax } from "./scale.js";

/** @typedef {import("../types.d.ts").InputInfo} InputInfo */

/** A picture with the part that is used framed. @param {{info: InputInfo, side: number}} props side: px of the longer side */
export function Original({ info, side }) {
  const scale = side / Math.max(info.width, info.height);
  const [x0, y0, x1, y1] = info.box;
  const whole = x0 <= 0 && y0 <= 0 && x1 >= info.width && y1 >= info.height;
  /** @param {number} v */
  const px = (v) => `${(v * scale).toFixed(1)}px`;
  return html`<div class="picture" style=${{ width: px(info.width), height: px(info.height) }}>
    <img src=${`/api/images/${info.image}/thumb?size=${side > 96 ? 320 : 96}`} alt="" />
    ${!whole && html`<span class="crop-box" style=${{ left: px(x0), top: px(y0), width: px(x1 - x0), height: px(y1 - y0) }}></span>`}</div>`;
}

/** The network's input drawn as the picture it is; values typed in by hand in the colours of values. @param {{size: string}} props CSS width */
export function InputPicture({ size }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const trace = opened.value;
  const view = mapData.value.get("input");
  const look = theme.value;
  useLayoutEffect(() => {
    if (!canvas.current || !view || !trace) return;
    const image = imageOf(view, trace.input, look);
    canvas.current.width = image.width;
    canvas.current.height = image.height;
    canvas.current.classList.toggle("up", image.width <= 96);
    /** @type {CanvasRenderingContext2D} */ (canvas.current.getContext("2d")).drawImage(image, 0, 0);
  }, [view, trace, look]);
  return html`<canvas ref=${canvas} width="1" height="1" style=${{ "--w": size, "--h": size }}></canvas>`;
}

/** @param {import("../types.d.ts").TensorView} view @param {InputInfo | null} info @param {"light" | "dark"} look */
function imageOf(view, info, look) {
  const [channels, rows, cols] = view.shape.slice(-3);
  const zeros = info?.mean ?? Array(channels).fill(0);
  const ones = info?.std ?? Array(channels).fill(1);
  if (info && channels === 3) return rgbImage(view.data, 0, rows, cols, zeros, ones);
  const plane = { data: view.data, offset: 0, rows, cols };
  return info
    ? planeImage(plane, { accent: "grey", absmax: 1, theme: look, mean: zeros[0], std: ones[0] })
    : planeImage(plane, { accent: "value", absmax: tensorMax("input"), theme: look });
}

/** The picture as it came, upright. Left out for inputs that are no pictures. */
export function PictureNode() {
  const tr = t.value;
  const info = opened.value?.input;
  if (!info) return null;
  const label = tr("map.picture.label", { w: info.width, h: info.height, fit: tr(`fit.${info.fit}`) });
  return html`<section class="node" data-node="picture" data-testid="node-picture">
    <h3>${tr("map.picture")}</h3><p class="sh">${info.width} × ${info.height}</p>
    <div class="maps" data-maps><button type="button" tabindex="-1" data-map="picture" data-testid="fit-open" aria-label=${label} title=${label}
      aria-expanded=${panel.value === "fit"} onClick=${() => togglePanel("fit")}><${Original} info=${info} side=${72} /></button></div>
    <p class="map-legend">${tr(`fit.${info.fit}`)}</p>
  </section>`;
}

/** What the network gets. */
export function InputNode() {
  const tr = t.value;
  const trace = opened.value;
  const shape = trace?.tensors.find(({ name }) => name === "input")?.shape.slice(1) ?? [];
  const label = tr("map.input.label", { shape: shape.join(" × ") });
  const act = () => (trace?.input ? togglePanel("fit") : jumpTo("input", 0));
  return html`<section class="node" data-node="input" data-testid="node-input">
    <h3>input</h3><p class="sh">${shape.join(" × ")}</p>
    <div class="maps" data-maps><button type="button" tabindex="-1" data-map="input" data-testid="map-input-0" aria-label=${label} title=${label}
      onClick=${act}><${InputPicture} size="72px" /></button></div>
    <p class="map-legend">${trace?.input ? tr(trace.input.grey ? "fit.grey" : "fit.rgb") : tr("map.input.values")}</p>
  </section>`;
}
