/** Counts the tensors of a trace that have been drawn into the map; when all are, and the frame is out, sets the mark that benches wait for. */
import { fetchStage } from "./late.js";
import { mapData, opened } from "../state.js";

const MARK = "convoscope:maps-painted";
/** Old marks are dropped when there are this many, so that a page left open for a day does not pile them up. */
const KEPT = 100;

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
  for (const name of drawn.keys()) if (!data.has(name)) drawn.delete(name); // another network's
  // one frame for the browser to paint, one to be after it
  requestAnimationFrame(() => requestAnimationFrame(() => {
    if (performance.getEntriesByName(MARK).length >= KEPT) performance.clearMarks(MARK);
    performance.mark(MARK);
    void fetchStage();
  }));
}
