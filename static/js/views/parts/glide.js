import { useEffect, useRef } from "preact/hooks";
import { glide } from "../../draw/motion.js";

/** The easing of a view, stopped when the view goes. A hook of its own: the effect is kept with all that its function sees, here nothing of a step. */
export function useGlide() {
  const motion = useRef(/** @type {ReturnType<typeof glide> | null} */ (null));
  motion.current ??= glide();
  useEffect(() => () => motion.current?.stop(), []);
  return motion.current;
}
