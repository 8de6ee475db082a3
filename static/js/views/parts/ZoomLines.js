import { html } from "htm/preact";
import { prepare } from "../../draw/canvas.js";
import { drawZoom } from "../../draw/zoom.js";
import { Canvas } from "./Canvas.js";
import { useGlide } from "./glide.js";

/**
 * Lines over a row, from the window in the map to the magnified window; follows the ring's glide.
 * @param {{w: number, h: number, from: import("../../draw/motion.js").Box, to: import("../../draw/motion.js").Box, theme: import("../../draw/palette.js").Theme}} props
 */
export function ZoomLines({ w, h, from, to, theme }) {
  const motion = useGlide();
  const draw = (/** @type {CanvasRenderingContext2D} */ ctx) => {
    let first = true;
    motion.to(from, (box) => {
      if (!first) prepare(ctx.canvas, w, h);
      first = false;
      drawZoom(ctx, box, to, theme);
    });
  };
  return html`<div class="zoom-lines" aria-hidden="true"><${Canvas} w=${w} h=${h} draw=${draw} /></div>`;
}
