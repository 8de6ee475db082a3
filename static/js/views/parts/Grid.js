import { html } from "htm/preact";
import { useRef, useState } from "preact/hooks";
import { drawGrid, NUMBER_PX } from "../../draw/grid.js";
import { hideLoupe, showLoupe } from "../../draw/loupe.js";
import { drawRing } from "../../draw/ring.js";
import { hideTip, showTip } from "../../draw/tip.js";
import { Canvas } from "./Canvas.js";
import { CellEditor } from "./CellEditor.js";
import { Table } from "./Table.js";

/** Room around the cells for the ring. */
const MARGIN = 4;

/**
 * @typedef {Omit<import("../../draw/grid.js").Cells, "text"> & {
 *   label: string, text: (i: number) => string, full: (i: number) => string, version: string | number, ringed?: boolean | number,
 *   hover: (i: number | null) => void, pin?: (i: number) => void, jump?: (i: number) => void, edit?: ((i: number, value: number) => void) | null,
 *   editLabel?: string}} GridProps full: the tip, with name and all digits; ringed: ring around everything, or around one cell
 */

/**
 * A grid of numbers that can be pointed at, walked with the arrow keys, pinned and edited.
 * @param {GridProps} props
 */
export function Grid(props) {
  const { rows, cols, cell, label, hover, pin, jump, edit } = props;
  const last = useRef(/** @type {number | null} */ (null));
  const [at, setAt] = useState(-1);
  const [editing, setEditing] = useState(-1);
  const n = rows * cols;
  const gap = props.gap ?? 0;
  const pitch = cell + gap;
  const [w, h] = [cols * pitch - gap, rows * pitch - gap];

  const find = (/** @type {number} */ x, /** @type {number} */ y) => {
    const [c, r] = [Math.floor((x - MARGIN) / pitch), Math.floor((y - MARGIN) / pitch)];
    return c >= 0 && r >= 0 && c < cols && r < rows ? r * cols + c : null;
  };
  const point = (/** @type {number | null} */ i, /** @type {{clientX: number, clientY: number} | null} */ event) => {
    if (i === null) hideAll();
    else if (event) tell(props, i, event);
    if (i === last.current) return;
    last.current = i;
    hover(i);
  };
  const choose = (/** @type {number | null} */ i) => {
    if (i === null) return;
    setAt(i);
    (jump ?? pin)?.(i);
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -cols, ArrowDown: cols }[event.key];
    if (step !== undefined && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const next = Math.max(0, at) + step;
      if (next >= 0 && next < n && (Math.abs(step) > 1 || cols === 1 || Math.floor(next / cols) === Math.floor(Math.max(0, at) / cols))) {
        setAt(next);
        point(next, null);
      }
    } else if (event.key === "Enter" || event.key === "F2") {
      if (edit) setEditing(Math.max(0, at));
      else choose(Math.max(0, at));
    } else if (event.key === " " && pin) pin(Math.max(0, at));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const draw = (/** @type {CanvasRenderingContext2D} */ ctx) => {
    drawGrid(ctx, MARGIN, MARGIN, props);
    const all = { x: MARGIN, y: MARGIN, w: w - 0.8, h: h - 0.8 };
    if (props.ringed === true) drawRing(ctx, all, props.theme, { grow: 1 });
    else if (typeof props.ringed === "number" && props.ringed >= 0) drawRing(ctx, cellBox(props.ringed), props.theme, { grow: -0.5 });
    if (at >= 0) {
      ctx.strokeStyle = props.theme === "dark" ? "#fff" : "#000";
      ctx.setLineDash([2, 2]);
      const box = cellBox(at);
      ctx.strokeRect(box.x + 2.5, box.y + 2.5, box.w - 5, box.h - 5);
      ctx.setLineDash([]);
    }
  };
  const cellBox = (/** @type {number} */ i) => ({
    x: MARGIN + (i % cols) * pitch, y: MARGIN + Math.floor(i / cols) * pitch, w: cell - 0.8, h: cell - 0.8,
  });
  const done = (/** @type {number | null} */ value, /** @type {-1 | 0 | 1} */ next) => {
    const i = editing;
    const on = next && i + next >= 0 && i + next < n ? i + next : -1;
    setEditing(on);
    if (on >= 0) setAt(on);
    if (value !== null) edit?.(i, value);
  };
  return html`<div class=${`numgrid ${edit ? "editable" : ""}`}>
    <${Canvas} w=${w + 2 * MARGIN} h=${h + 2 * MARGIN} draw=${draw} same=${picture(props, at)} label=${label} focusable
      at=${(/** @type {number} */ x, /** @type {number} */ y, /** @type {PointerEvent} */ e) => point(find(x, y), e)}
      leave=${() => point(null, null)}
      click=${(/** @type {number} */ x, /** @type {number} */ y) => choose(find(x, y))}
      double=${(/** @type {number} */ x, /** @type {number} */ y) => edit && setEditing(find(x, y) ?? -1)}
      keys=${keys} focus=${() => undefined} blur=${() => { setAt(-1); point(null, null); }} />
    ${editing >= 0 && edit && html`<${CellEditor} x=${cellBox(editing).x} y=${cellBox(editing).y} side=${cell} value=${props.value(editing)}
      label=${props.full(editing)} done=${done} />`}
    <${Table} caption=${label} rows=${rows} cols=${cols} text=${props.text} version=${props.version} />
  </div>`;
}

/** What the picture of a grid depends on: a kernel stays the same for a whole channel and is not drawn again. @param {GridProps} p @param {number} at */
function picture(p, at) {
  let text = `${p.rows} ${p.cols} ${p.cell} ${p.gap} ${p.accent} ${p.absmax} ${p.theme} ${p.ringed} ${at} ${p.hot ? [...p.hot] : ""} ${p.dim ? [...p.dim] : ""}`;
  for (let i = 0; i < p.rows * p.cols; i++) text += ` ${p.value(i)}${p.state?.(i) ?? ""}`;
  return text;
}

function hideAll() {
  hideTip();
  hideLoupe();
}

/** The full number beside the pointer; with small cells the whole grid, legible. @param {GridProps} props @param {number} i
 * @param {{clientX: number, clientY: number}} event */
function tell(props, i, event) {
  const spot = { x: event.clientX, y: event.clientY };
  if (props.cell >= NUMBER_PX) showTip(spot, props.full(i));
  else {
    showLoupe(spot, { rows: props.rows, cols: props.cols, row: Math.floor(i / props.cols), col: i % props.cols, title: props.full(i), cells: props });
  }
}
