import { prepare } from "./canvas.js";
import { drawGrid } from "./grid.js";
import { INKS } from "./palette.js";
import { drawRing } from "./ring.js";

/** Cells per side of the loupe, and their size. */
const SIDE = 9;
const CELL = 31;

/** @type {HTMLDivElement | null} */
let element = null;
/** @type {HTMLCanvasElement | null} */
let canvas = null;

/** One loupe for the whole page, made when first needed. */
function mount() {
  if (!element) {
    element = document.createElement("div");
    element.className = "loupe";
    element.setAttribute("aria-hidden", "true");
    canvas = document.createElement("canvas");
    element.append(canvas);
    document.body.append(element);
  }
  return /** @type {HTMLDivElement} */ (element);
}

/**
 * Shows the 9×9 cells around (row, col) with their numbers beside the pointer.
 * @param {{x: number, y: number}} at viewport position of the pointer
 * @param {{rows: number, cols: number, row: number, col: number, title: string,
 *   cells: Omit<import("./grid.js").Cells, "rows" | "cols" | "cell">}} what `cells` is addressed by the index in the whole map
 */
export function showLoupe(at, { rows, cols, row, col, title, cells }) {
  const box = mount();
  const nr = Math.min(SIDE, rows);
  const nc = Math.min(SIDE, cols);
  const r0 = Math.max(0, Math.min(rows - nr, row - (SIDE >> 1)));
  const c0 = Math.max(0, Math.min(cols - nc, col - (SIDE >> 1)));
  const there = (/** @type {number} */ i) => (r0 + Math.floor(i / nc)) * cols + c0 + (i % nc);
  const [w, h] = [nc * CELL + 12, nr * CELL + 34];
  const ctx = prepare(/** @type {HTMLCanvasElement} */ (canvas), w, h);
  const inks = INKS[cells.theme];
  ctx.font = `550 12px "Inter var", Inter, system-ui, sans-serif`;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  ctx.fillStyle = inks.soft;
  ctx.fillText(title, 7, 14, w - 14);
  drawGrid(ctx, 6, 28, {
    ...cells, rows: nr, cols: nc, cell: CELL, hot: null, dim: null,
    value: (i) => cells.value(there(i)), text: (i) => cells.text(there(i)),
    state: cells.state && ((i) => /** @type {NonNullable<typeof cells.state>} */ (cells.state)(there(i))),
  });
  drawRing(ctx, { x: 6 + (col - c0) * CELL, y: 28 + (row - r0) * CELL, w: CELL - 1, h: CELL - 1 }, cells.theme, { width: 2, grow: 0 });
  place(box, at, w, h);
}

/** Beside the pointer, on the side where there is room. @param {HTMLDivElement} box @param {{x: number, y: number}} at
 * @param {number} w @param {number} h */
function place(box, at, w, h) {
  const gap = 18;
  const x = at.x + gap + w + 8 < window.innerWidth ? at.x + gap : Math.max(4, at.x - gap - w - 8);
  const y = Math.max(4, Math.min(window.innerHeight - h - 12, at.y - h / 2));
  box.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
  box.classList.add("on");
}

/** Takes the loupe away. */
export function hideLoupe() {
  element?.classList.remove("on");
}
