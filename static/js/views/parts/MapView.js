import { html } from "htm/preact";
import { useRef, useState } from "preact/hooks";
import { prepare } from "../../draw/canvas.js";
import { NUMBER_PX } from "../../draw/grid.js";
import { hideLoupe, showLoupe } from "../../draw/loupe.js";
import { areaBox, cellsOf, drawMap, EDGE, mapMetrics } from "../../draw/map.js";
import { hideTip, showTip } from "../../draw/tip.js";
import { Canvas } from "./Canvas.js";
import { CellEditor } from "./CellEditor.js";
import { useGlide } from "./glide.js";
import { Table } from "./Table.js";

/**
 * @typedef {import("../../draw/map.js").Area} Area
 * @typedef {import("../../draw/map.js").MapPicture & {label: string, full: (row: number, col: number, value: number) => string, version: string | number,
 *   hover: (cell: number | null) => void, jump: (cell: number) => void, edit?: ((cell: number, value: number) => void) | null}} MapProps
 *   cells are counted in the plane; full: the tip, with name and all digits
 */

/**
 * One channel as a picture: heat map, or numbers where cells are large enough, with padding, ring and links.
 * @param {MapProps} props
 */
export function MapView(props) {
  const { plane, rows, cols, label, hover, jump, edit } = props;
  const m = mapMetrics(props);
  const motion = useGlide();
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const [at, setAt] = useState(-1);
  const [editing, setEditing] = useState(-1);
  const last = useRef(/** @type {number | null} */ (null));

  const find = (/** @type {number} */ x, /** @type {number} */ y) => {
    const [c, r] = [Math.floor((x - m.left) / m.cell), Math.floor((y - m.top) / m.cell)];
    return c >= 0 && r >= 0 && c < cols && r < rows ? r * cols + c : null;
  };
  const point = (/** @type {number | null} */ i, /** @type {{clientX: number, clientY: number} | null} */ event) => {
    if (i === null || !event) {
      hideTip();
      hideLoupe();
    } else tell(props, m.cell, i, { x: event.clientX, y: event.clientY });
    if (i === last.current) return;
    last.current = i;
    hover(i);
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    const from = at >= 0 ? at : props.ring ? Math.max(0, props.ring.y) * cols + Math.max(0, props.ring.x) : 0;
    if (step && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const r = Math.min(rows - 1, Math.max(0, Math.floor(from / cols) + step[0]));
      const c = Math.min(cols - 1, Math.max(0, (from % cols) + step[1]));
      setAt(r * cols + c);
      point(r * cols + c, null);
    } else if (event.key === "F2" || (event.key === "Enter" && edit)) {
      if (edit) setEditing(from);
    } else if (event.key === "Enter") jump(from);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const draw = (/** @type {CanvasRenderingContext2D} */ ctx) => {
    canvas.current = ctx.canvas;
    const all = (/** @type {import("../../draw/motion.js").Box | null} */ ring) => drawMap(ctx, props, m, ring, at);
    if (!props.ring) {
      all(null);
      return;
    }
    let first = true;
    motion.to(areaBox(props.ring, m), (box) => {
      if (!first && canvas.current) prepare(canvas.current, m.w + 2 * EDGE, m.h + 2 * EDGE);
      first = false;
      all(box);
    });
  };
  const done = (/** @type {number | null} */ value, /** @type {-1 | 0 | 1} */ next) => {
    const i = editing;
    setEditing(next && i + next >= 0 && i + next < rows * cols ? i + next : -1);
    if (value !== null) edit?.(i, value);
  };
  const near = region(props);
  const value = (/** @type {number} */ i) => (plane && !props.thumb ? plane.data[plane.offset + i] : NaN);
  return html`<div class=${`mapview ${edit ? "editable" : ""}`}>
    <${Canvas} w=${m.w + 2 * EDGE} h=${m.h + 2 * EDGE} draw=${draw} label=${label} focusable
      at=${(/** @type {number} */ x, /** @type {number} */ y, /** @type {PointerEvent} */ e) => point(find(x, y), e)}
      leave=${() => point(null, null)}
      click=${(/** @type {number} */ x, /** @type {number} */ y, /** @type {MouseEvent} */ e) => {
        const i = find(x, y);
        // with an editable map a double click edits; its first click must not walk away
        if (i !== null && !(edit && e.detail > 1)) jump(i);
      }}
      double=${(/** @type {number} */ x, /** @type {number} */ y) => edit && setEditing(find(x, y) ?? -1)}
      keys=${keys} blur=${() => { setAt(-1); point(null, null); }} />
    ${editing >= 0 && edit && html`<${CellEditor} x=${m.left + (editing % cols) * m.cell} y=${m.top + Math.floor(editing / cols) * m.cell}
      side=${m.cell} value=${value(editing)} label=${props.full(Math.floor(editing / cols), editing % cols, value(editing))} done=${done} />`}
    ${plane && !props.thumb && html`<${Table} caption=${`${label} (${near.y}…${near.y + near.h - 1}, ${near.x}…${near.x + near.w - 1})`}
      rows=${near.h} cols=${near.w} version=${props.version}
      text=${(/** @type {number} */ i) => {
        const j = (near.y + Math.floor(i / near.w)) * cols + near.x + (i % near.w);
        return j < (props.written ?? Infinity) ? props.text(value(j)) : "";
      }} />`}
  </div>`;
}

/** The 9×9 cells around the ring: what the table behind a large map tells. @param {MapProps} props */
function region({ rows, cols, ring }) {
  const [h, w] = [Math.min(9, rows), Math.min(9, cols)];
  const y = Math.max(0, Math.min(rows - h, (ring?.y ?? 0) + ((ring?.h ?? 1) >> 1) - (h >> 1)));
  const x = Math.max(0, Math.min(cols - w, (ring?.x ?? 0) + ((ring?.w ?? 1) >> 1) - (w >> 1)));
  return { y, x, h, w };
}

/** @param {MapProps} props @param {number} cell side @param {number} i @param {{x: number, y: number}} spot */
function tell(props, cell, i, spot) {
  if (!props.plane || props.thumb) return;
  const [row, col] = [Math.floor(i / props.cols), i % props.cols];
  const title = i < (props.written ?? Infinity) ? props.full(row, col, props.plane.data[props.plane.offset + i]) : "…";
  if (cell >= NUMBER_PX) showTip(spot, title);
  else showLoupe(spot, { rows: props.rows, cols: props.cols, row, col, title, cells: cellsOf(props) });
}
