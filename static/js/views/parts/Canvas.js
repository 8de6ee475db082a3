import { html } from "htm/preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { prepare } from "../../draw/canvas.js";

/**
 * A canvas that is redrawn whenever its component renders. Drawing happens before the browser paints, in the same frame as the rest of the page.
 * @param {{w: number, h: number, draw: (ctx: CanvasRenderingContext2D) => void, same?: string, cls?: string, label?: string, focusable?: boolean,
 *   at?: (x: number, y: number, event: PointerEvent) => void, leave?: () => void, click?: (x: number, y: number, event: MouseEvent) => void,
 *   double?: (x: number, y: number) => void, keys?: (event: KeyboardEvent) => void, focus?: () => void, blur?: () => void}} props
 *   positions in CSS pixels from the canvas' corner; same: two renders with the same text draw the same picture
 */
export function Canvas({ w, h, draw, same, cls = "", label, focusable = false, at, leave, click, double, keys, focus, blur }) {
  const ref = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const paint = useRef(draw);
  paint.current = draw;
  const size = useRef([w, h]);
  size.current = [w, h];
  const drawn = useRef(/** @type {string | undefined} */ (undefined));
  useLayoutEffect(() => {
    if (!ref.current || (same !== undefined && same === drawn.current)) return;
    drawn.current = same;
    draw(prepare(ref.current, w, h));
  });
  useRedraw(ref, paint, size);
  const place = (/** @type {MouseEvent} */ event) => {
    const box = /** @type {HTMLCanvasElement} */ (ref.current).getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  return html`<canvas
    ref=${ref}
    class=${`cv ${cls}`}
    tabindex=${focusable ? 0 : undefined}
    role=${focusable ? "application" : "img"}
    aria-label=${label}
    onPointerMove=${at && ((/** @type {PointerEvent} */ e) => at(/** @type {any} */ (place(e))[0], place(e)[1], e))}
    onPointerDown=${at && ((/** @type {PointerEvent} */ e) => at(place(e)[0], place(e)[1], e))}
    onPointerLeave=${leave}
    onClick=${click && ((/** @type {MouseEvent} */ e) => click(place(e)[0], place(e)[1], e))}
    onDblClick=${double && ((/** @type {MouseEvent} */ e) => double(place(e)[0], place(e)[1]))}
    onKeyDown=${keys}
    onFocus=${focus}
    onBlur=${blur}
  />`;
}

/**
 * Moving the window to a screen of another density redraws at that density. The listener is kept as long as the canvas, with all that its function sees:
 * in a function of its own that is the newest picture, not the first one and its tensors.
 * @param {{current: HTMLCanvasElement | null}} ref @param {{current: (ctx: CanvasRenderingContext2D) => void}} paint @param {{current: number[]}} size
 */
function useRedraw(ref, paint, size) {
  useEffect(() => {
    const again = () => ref.current && paint.current(prepare(ref.current, size.current[0], size.current[1]));
    window.addEventListener("resize", again);
    return () => window.removeEventListener("resize", again);
  }, []);
}
