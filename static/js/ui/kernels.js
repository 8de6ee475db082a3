/** One kernel per output channel: the slice for the first input channel, on the scale of weights. */
import { html } from "htm/preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { loadTensor } from "../actions.js";
import { planeImage } from "../draw/heat.js";
import { opened, t, theme } from "../state.js";

/** @typedef {import("../types.d.ts").TensorView} TensorView */

/** More are not told apart at this size. */
const MOST = 64;

/** @param {{tensor: string, shape: number[]}} props shape: out, in, rows, columns */
export function Kernels({ tensor, shape }) {
  const trace = opened.value;
  const [view, setView] = useState(/** @type {TensorView | null} */ (null));
  useEffect(() => {
    let wanted = true;
    loadTensor(tensor).then((answer) => { if (wanted) setView(answer); }, () => { /* the notice says why */ });
    return () => { wanted = false; };
  }, [trace, tensor]);
  if (!view) return null;
  return html`<div class="kernels" role="img" aria-label=${t.value("init.kernels", { n: shape[0] })} title=${t.value("init.kernels", { n: shape[0] })}>
    ${Array.from({ length: Math.min(MOST, shape[0]) }, (_, o) => html`<${Kernel} key=${o} view=${view} o=${o} />`)}</div>`;
}

/** @param {{view: TensorView, o: number}} props */
function Kernel({ view, o }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const [, channels, rows, cols] = view.shape;
  const look = theme.value;
  useLayoutEffect(() => {
    const absmax = Math.max(Math.abs(view.min ?? 0), Math.abs(view.max ?? 0));
    const image = planeImage({ data: view.data, offset: o * channels * rows * cols, rows, cols }, { accent: "weight", absmax, theme: look });
    /** @type {CanvasRenderingContext2D} */ (canvas.current?.getContext("2d")).drawImage(image, 0, 0);
  }, [view, look]);
  return html`<canvas ref=${canvas} width=${cols} height=${rows} title=${`${view.name}[${o}, 0]`}></canvas>`;
}
