import { html } from "htm/preact";
import { rgbImage } from "../draw/heat.js";
import { Canvas } from "./parts/Canvas.js";
import { Legend } from "./parts/Legend.js";
import { Operand } from "./parts/Operand.js";
import { mid } from "./parts/numbers.js";
import { planeSize, planeStart } from "./parts/geometry.js";
import { shapeOf } from "./parts/source.js";

/** @typedef {import("../types.d.ts").StageProps} StageProps */

/**
 * The input: a picture on its way to the tensor, step by step, or the typed-in cells themselves.
 * Works without a step: nothing is computed here.
 * @param {StageProps & {channel?: number}} p
 */
export function View(p) {
  const info = p.opened.input;
  const shape = shapeOf(p, "input");
  return info?.image ? html`<${Pipeline} ...${p} info=${info} shape=${shape} />` : html`<${Values} ...${p} shape=${shape} />`;
}

/** @param {any} p */
function Pipeline(p) {
  const { info, shape, t } = p;
  const [h, w] = planeSize(shape);
  const narrow = p.layout === "narrow";
  const side = narrow ? Math.min(240, p.size.w - 20) : Math.max(96, Math.min(250, (p.size.w - 210) / 4, p.size.h - 130));
  const [mean, std] = [fill(info.mean, 0, shape[1]), fill(info.std, 1, shape[1])];
  const plain = mean.every((/** @type {number} */ v) => v === 0) && std.every((/** @type {number} */ v) => v === 1);
  const channel = p.channel ?? 0;
  return html`<div class=${`pipeline ${narrow ? "one-column" : ""}`}>
    <${Stage} side=${side} n="1" title=${t("stage.fit_picture")} note=${t(`stage.fit_${info.fit}`, { w: info.width, h: info.height, box: boxText(info.box) })}>
      <${Picture} info=${info} side=${side} /></${Stage}>
    <div class="op big">→</div>
    <${Stage} side=${side} n="2" title=${t("stage.fit_resized", { w, h })} note=${t(shape[1] === 1 ? "stage.fit_grey" : "stage.fit_rgb")}>
      <${Resized} p=${p} shape=${shape} side=${side} mean=${mean} std=${std} /></${Stage}>
    <div class="op big">→</div>
    <${Stage} side=${side} n="3" title=${t("stage.fit_scaled")} note=${t("stage.fit_scaled_note")}>
      <div class="planes">${Array.from({ length: Math.min(3, shape[1]) }, (_, c) => html`<div class="plane" key=${c}>
        <${Operand} p=${p} tensor="input" px=${Math.floor(shape[1] === 1 ? side : (side - 24) / (narrow ? 3 : 2))} cell=${planeStart(shape, p.sample ?? 0, c)} ring=${null}
          title=${shape[1] === 3 ? t(["stage.red", "stage.green", "stage.blue"][c]) : t("stage.grey")} /></div>`)}</div></${Stage}>
    <div class="op big">→</div>
    <${Stage} side=${side} n="4" title=${t("stage.fit_tensor", { shape: shape.slice(1).join(" × ") })} note=${plain ? t("stage.fit_plain") : t("stage.fit_norm", { mean: mean.map(mid).join(", "), std: std.map(mid).join(", ") })}>
      <${Operand} p=${plainly(p)} tensor="input" px=${side} cell=${planeStart(shape, p.sample ?? 0, channel)} ring=${null} title=${`input, ${t("stage.channel", { c: channel })}`} />
      <${Legend} accent="value" absmax=${p.absmax("input", channel)} theme=${p.theme} scope="" w=${Math.min(side, 240)} t=${t} /></${Stage}>
  </div>`;
}

/** The same input with the picture forgotten: drawn as the numbers the network sees. @param {any} p */
function plainly(p) {
  return { ...p, opened: { ...p.opened, input: null }, edit: null };
}

/** @param {number[] | undefined} list @param {number} value @param {number} n @returns {number[]} */
function fill(list, value, n) {
  return Array.from({ length: n }, (_, i) => list?.[i] ?? value);
}

/** @param {number[]} box */
function boxText(box) {
  return box ? `${box[2] - box[0]} × ${box[3] - box[1]}` : "";
}

/** @param {any} props */
function Stage({ n, title, note, side, children }) {
  return html`<figure class="fit" style=${{ width: `${side + 10}px` }}><figcaption><b>${n}</b> ${title}</figcaption>${children}<p>${note}</p></figure>`;
}

/** The picture as uploaded, upright, with the part that is used. @param {any} props */
function Picture({ info, side }) {
  const scale = side / Math.max(info.width, info.height);
  const [w, h] = [info.width * scale, info.height * scale];
  const [x0, y0, x1, y1] = info.box ?? [0, 0, info.width, info.height];
  return html`<div class="uploaded" style=${{ width: `${w}px`, height: `${h}px` }}>
    <img src=${`/api/images/${info.image}/thumb?size=320`} alt="" width=${w} height=${h} />
    <i class="crop" style=${{ left: `${x0 * scale}px`, top: `${y0 * scale}px`, width: `${(x1 - x0) * scale}px`, height: `${(y1 - y0) * scale}px` }}></i>
  </div>`;
}

/** @param {any} props */
function Resized({ p, shape, side, mean, std }) {
  const view = p.tensor("input");
  const [h, w] = planeSize(shape);
  const scale = side / Math.max(w, h);
  const draw = (/** @type {CanvasRenderingContext2D} */ ctx) => {
    if (!view) return;
    const offset = (p.sample ?? 0) * shape[1] * h * w;
    ctx.imageSmoothingEnabled = false;
    ctx.drawImage(rgbImage(view.data, offset, h, w, mean, std, shape[1]), 0, 0, w * scale, h * scale);
  };
  return html`<${Canvas} w=${w * scale} h=${h * scale} draw=${draw} label=${p.t("stage.fit_resized", { w, h })} cls="rounded" />`;
}

/** Typed-in values: every channel, editable. @param {any} p */
function Values(p) {
  const { shape } = p;
  const n = Math.min(shape[1] ?? 1, 6);
  const px = Math.max(120, Math.min(340, (p.size.w - 40) / n - 16, p.size.h - 90));
  return html`<div class="pairing">
    ${Array.from({ length: n }, (_, c) => html`<${Operand} key=${c} p=${p} tensor="input" px=${px} cell=${planeStart(shape, p.sample ?? 0, c)} ring=${null}
      title=${`input, ${p.t("stage.channel", { c })}`} legend=${c === 0} />`)}
    ${p.edit && html`<p class="note">${p.t("stage.edit_hint")}</p>`}
  </div>`;
}

/** @param {StageProps} p @returns {{key: string, args: Record<string, string | number>}[]} */
export function explain(p) {
  const info = p.opened.input;
  const shape = shapeOf(p, "input");
  const args = { w: info?.width ?? 0, h: info?.height ?? 0, c: shape[1] ?? 1, rows: shape[2] ?? 1, cols: shape[3] ?? 1, n: shape.reduce((n, d) => n * d, 1) };
  return info?.image ? [{ key: "explain.input_image", args }, { key: "explain.input_image_2", args }] : [{ key: "explain.input_values", args }];
}
