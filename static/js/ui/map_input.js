/** The first two stations of the map: the picture as it came, and what the network gets of it. */
import { html } from "htm/preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { planeImage, rgbImage } from "../draw/heat.js";
import { onInput } from "../lib/phases.js";
import { focus, mapData, opened, sample, t, theme } from "../state.js";
import { backParts } from "./late.js";
import { useGradient } from "./map_node.js";
import { open } from "./map_thumb.js";
import { tensorMax } from "./scale.js";

/** @typedef {import("../types.d.ts").InputInfo} InputInfo */

/** A picture with the part that is used framed. @param {{info: InputInfo}} props */
function Original({ info }) {
  const long = Math.max(info.width, info.height);
  const [x0, y0, x1, y1] = info.box;
  const whole = x0 <= 0 && y0 <= 0 && x1 >= info.width && y1 >= info.height;
  /** @param {number} v */
  const share = (v) => `calc(var(--pic) * ${(v / long).toFixed(4)})`;
  return html`<div class="picture" style=${{ width: share(info.width), height: share(info.height) }}>
    <img src=${`/api/images/${info.image}/thumb?size=96`} alt="" />
    ${!whole && html`<span class="crop-box" style=${{ left: share(x0), top: share(y0), width: share(x1 - x0), height: share(y1 - y0) }}></span>`}</div>`;
}

/** The network's input drawn as the picture it is; values typed in by hand in the colours of values. */
function InputPicture() {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const trace = opened.value;
  const whole = mapData.value.get("input");
  const look = theme.value;
  const first = whole ? Math.min(sample.value, whole.shape[0] - 1) * (whole.data.length / whole.shape[0]) : 0;
  const view = whole && first > 0 ? { ...whole, data: whole.data.subarray(first) } : whole;
  useLayoutEffect(() => {
    if (!canvas.current || !view || !trace) return;
    const image = imageOf(view, trace.input, look);
    canvas.current.width = image.width;
    canvas.current.height = image.height;
    canvas.current.classList.toggle("up", image.width <= 96);
    /** @type {CanvasRenderingContext2D} */ (canvas.current.getContext("2d")).drawImage(image, 0, 0);
  }, [whole, first, trace, look]);
  return html`<canvas ref=${canvas} width="1" height="1" style=${{ "--w": "var(--pic)", "--h": "var(--pic)" }}></canvas>`;
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
      onClick=${() => open("input", 0)}><${Original} info=${info} /></button></div>
    <p class="map-legend">${tr(`fit.${info.fit}`)}</p>
  </section>`;
}

/** What the network gets. */
export function InputNode() {
  const tr = t.value;
  const trace = opened.value;
  const shape = trace?.tensors.find(({ name }) => name === "input")?.shape.slice(1) ?? [];
  const grad = useGradient("input.grad", shape[0] ?? 1);
  const Back = grad && backParts.value;
  const label = tr("map.input.label", { shape: shape.join(" × ") });
  const selected = onInput(focus.value);
  return html`<section class="node" data-node="input" data-testid="node-input">
    <h3>input</h3><p class="sh">${shape.join(" × ")}</p>
    <div class="maps" data-maps><button type="button" tabindex="-1" data-map="input" data-testid="map-input-0" aria-label=${label} title=${label}
      class=${selected ? "sel" : ""} aria-current=${selected ? "true" : undefined} onClick=${() => open("input", 0)}><${InputPicture} /></button></div>
    <p class="map-legend">${trace?.input ? tr(trace.input.grey ? "fit.grey" : "fit.rgb") : tr("map.input.values")}</p>
    ${Back && html`<${Back.InputGradient} at=${grad.at} born=${grad.born} />`}
  </section>`;
}
