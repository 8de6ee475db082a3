/** Everything that can be set about the lab's convolution: kernel, window, padding, channels, and what they make of the size. */
import { html } from "htm/preact";
import { useState } from "preact/hooks";
import { openScenario, setNode } from "../actions.js";
import { boot, fieldError, opened, t } from "../state.js";
import { kernelOf, presetKernel, windowOf, withKernel } from "./kernel_doc.js";
import { bounds, outSize, sizeFormula } from "./sizes.js";

/** @typedef {import("../types.d.ts").NodeSpec} NodeSpec */
/** @typedef {import("../types.d.ts").ScenarioDoc} ScenarioDoc */
/** @typedef {import("./sizes.js").Window} Window */

const MODES = ["zeros", "reflect", "replicate", "circular"];
const WINDOW = /** @type {const} */ (["kernel_size", "stride", "padding", "dilation"]);

/** @param {{node: NodeSpec, doc: ScenarioDoc}} props */
export function ConvKnobs({ node, doc }) {
  const tr = t.value;
  const [moving, setMoving] = useState(/** @type {Partial<Window>} */ ({}));
  const shape = opened.value?.tensors.find(({ name }) => name === "input")?.shape ?? doc.input?.shape ?? [1, 1, 32, 32];
  const [channels, h, w] = shape.slice(-3);
  const now = { ...windowOf(node), ...moving };
  const mode = String(node.padding_mode ?? "zeros");
  /** @param {Partial<Window>} patch */
  const commit = (patch) => { setMoving({}); applyWindow(doc, node, patch, channels); };
  const limits = WINDOW.map((key) => ({ key, ...bounds(key, Math.min(h, w), now, mode) }));
  const narrowed = limits.filter((limit) => limit.narrowed).map(({ key }) => tr(`lab.${key}`));
  return html`
    <${KernelPicker} node=${node} doc=${doc} channels=${channels} />
    ${limits.map(({ key, min, max }) => html`<${Knob} key=${key} name=${key} min=${min} max=${max} value=${now[key]}
      onMove=${(/** @type {number} */ v) => setMoving({ [key]: v })} onSet=${(/** @type {number} */ v) => commit({ [key]: v })} />`)}
    <label class="field">${tr("lab.padding_mode")}<select data-testid="lab-padding_mode" value=${mode}
      onChange=${(/** @type {any} */ event) => setNode(node.name, { padding_mode: event.target.value })}>
      ${MODES.map((m) => html`<option key=${m} value=${m}>${tr(`lab.mode.${m}`)}</option>`)}</select></label>
    <label class="field">${tr("lab.in_channels")}<select data-testid="lab-in_channels" value=${String(channels)}
      onChange=${(/** @type {any} */ event) => setInput(doc, node, Number(event.target.value))}>
      <option value="1">${tr("lab.grey")}</option><option value="3">${tr("lab.rgb")}</option></select></label>
    <${Knob} name="out_channels" min=${1} max=${8} value=${Number(node.out_channels)} onSet=${(/** @type {number} */ v) => setOut(doc, node, v, channels)} />
    <p class="sizes" data-testid="lab-size">${h === w
      ? html`<span>${tr("lab.side")} <b>${sizeFormula(h, now)}</b></span>`
      : html`<span>${tr("lab.height")} <b>${sizeFormula(h, now)}</b></span><span>${tr("lab.width")} <b>${sizeFormula(w, now)}</b></span>`}</p>
    ${narrowed.length > 0 && html`<p class="why">${tr("lab.narrowed", { what: narrowed.join(", "), n: Math.min(h, w), size: outSize(Math.min(h, w), now) })}</p>`}`;
}

/** A slider that shows its number; it says what it would be while moving, and sets it when let go.
 * @param {{name: string, min: number, max: number, value: number, onMove?: (v: number) => void, onSet: (v: number) => void}} props */
function Knob({ name, min, max, value, onMove, onSet }) {
  const wrong = fieldError.value?.path?.endsWith(`.${name}`) ?? false;
  return html`<label class=${`knob ${wrong ? "wrong" : ""}`}><span>${t.value(`lab.${name}`)}</span><output>${value}</output>
    <input type="range" min=${min} max=${max} step="1" value=${value} disabled=${min === max} data-testid=${`lab-${name}`} aria-invalid=${wrong}
      onInput=${(/** @type {any} */ event) => onMove?.(Number(event.target.value))} onChange=${(/** @type {any} */ event) => onSet(Number(event.target.value))} /></label>`;
}

/** @param {{node: NodeSpec, doc: ScenarioDoc, channels: number}} props */
function KernelPicker({ node, doc, channels }) {
  const tr = t.value;
  const current = kernelOf(doc, node, boot.kernels);
  return html`<label class="field">${tr("lab.kernel")}<select data-testid="lab-kernel" value=${current}
    onChange=${(/** @type {any} */ event) => setKernel(doc, node, event.target.value, channels)}>
    ${Object.keys(boot.kernels).map((name) => html`<option key=${name} value=${name}>${tr(`kernel.${name}`)}</option>`)}
    <option value="random">${tr("kernel.random")}</option>
    ${current === "own" && html`<option value="own">${tr("kernel.own")}</option>`}</select></label>`;
}

/** @param {ScenarioDoc} doc @param {NodeSpec} node @param {string} name @param {number} channels */
function setKernel(doc, node, name, channels) {
  const k = windowOf(node).kernel_size;
  const sizes = Object.keys(boot.kernels[name] ?? {}).map(Number);
  const fits = name === "random" || presetKernel(name, k, boot.kernels);
  // a kernel that does not exist in this size brings its own size along
  const next = fits ? node : { ...node, kernel_size: sizes.includes(3) ? 3 : sizes[0] };
  openScenario(withKernel(doc, next, name, channels, boot.kernels), { keepCursor: true });
}

/** @param {ScenarioDoc} doc @param {NodeSpec} node @param {Partial<Window>} patch @param {number} channels */
function applyWindow(doc, node, patch, channels) {
  if (patch.kernel_size === undefined) setNode(node.name, patch);
  else openScenario(withKernel(doc, { ...node, ...patch }, kernelOf(doc, node, boot.kernels), channels, boot.kernels), { keepCursor: true });
}

/** @param {ScenarioDoc} doc @param {NodeSpec} node @param {number} out @param {number} channels */
function setOut(doc, node, out, channels) {
  openScenario(withKernel(doc, { ...node, out_channels: out }, kernelOf(doc, node, boot.kernels), channels, boot.kernels), { keepCursor: true });
}

/** @param {ScenarioDoc} doc @param {NodeSpec} node @param {number} channels 1 grey, 3 RGB */
function setInput(doc, node, channels) {
  const name = kernelOf(doc, node, boot.kernels);
  const next = withKernel(doc, node, name, channels, boot.kernels);
  const [h, w] = (doc.input?.shape ?? [1, 32, 32]).slice(-2);
  const { mean: _mean, std: _std, ...input } = doc.input ?? {}; // one number per channel: those of the other count are meaningless
  openScenario({ ...next, input: { ...input, shape: [channels, h, w] } }, { keepCursor: true });
}
