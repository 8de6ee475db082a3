/** Counts the tensors of a trace that have been drawn into the map; when all are, and the frame is out, sets the mark that benches wait for. */
import { mark } from "../lib/marks.js";
import { mapData, opened } from "../state.js";

/** What was last drawn of each tensor, and the trace for which the mark was set. @type {Map<string, object>} */
const drawn = new Map();
/** @type {object | null} */
let marked = null;

/** Called after the pixels of a tensor have been written. @param {string} name @param {object} view the very data that was drawn */
export function painted(name, view) {
  drawn.set(name, view);
  const trace = opened.peek();
  if (!trace || marked === trace) return;
  const data = mapData.peek();
  if (!trace.nodes.every(({ out }) => data.has(out) && drawn.get(out) === data.get(out))) return;
  marked = trace;
  // one frame for the browser to paint, one to be after it
  requestAnimationFrame(() => requestAnimationFrame(() => mark("convoscope:maps-painted")));
}
