import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";
import { prepare } from "../../draw/canvas.js";
import { glide } from "../../draw/motion.js";
import { drawZoom } from "../../draw/zoom.js";
import { Canvas } from "./Canvas.js";

/**
 * Lines over a row, from the window in the map to the magnified window; follows the ring's glide.
 * @param {{w: number, h: number, from: import("../../draw/motion.js").Box, to: import("../../draw/motion.js").Box, theme: import("../../draw/palette.js").Theme}} props
 */
export function ZoomLines({ w, h, from, to, theme }) {
  const motion = useRef(/** @type {ReturnType<typeof glide> | null} */ (null));
  motion.current ??= glide();
  useEffect(() => () => motion.current?.stop(), []);
  const draw = (/** @type {CanvasRenderingContext2D} */ ctx) => {
    let first = true;
    motion.current?.to(from, (box) => {
      if (!first) prepare(ctx.canvas, w, h);
      first = false;
      drawZoom(ctx, box, to, theme);
    });
  };
  return html`<div class="zoom-lines" aria-hidden="true"><${Canvas} w=${w} h=${h} draw=${draw} /></div>`;
}
