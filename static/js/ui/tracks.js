/** The two scrubbers: all layers, and below it the channel that is being written. Both drag with the pointer captured. */
import { useComputed, useSignalEffect } from "@preact/signals";
import { html } from "htm/preact";
import { useMemo, useRef } from "preact/hooks";
import { seek } from "../actions.js";
import { groups } from "./numbers.js";
import { cursor, opened, t } from "../state.js";
import { phasesOf, segmentOf, segments, shareOf, stepAt, stretch } from "./track.js";

/**
 * Pointer handlers that turn a position along an element into a step, from press to release.
 * @param {(share: number) => number} toStep
 */
function dragging(toStep) {
  const go = (/** @type {any} */ event) => {
    const box = event.currentTarget.getBoundingClientRect();
    const step = toStep(Math.max(0, Math.min(0.999999, (event.clientX - box.left) / box.width)));
    if (step !== cursor.peek()) seek(step);
  };
  return {
    onPointerDown: (/** @type {any} */ event) => {
      if (event.button !== 0) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      go(event);
    },
    onPointerMove: (/** @type {any} */ event) => event.currentTarget.hasPointerCapture(event.pointerId) && go(event),
  };
}

/** All phases with their layers. */
export function Track() {
  const tr = t.value;
  const trace = opened.value;
  const head = useRef(/** @type {HTMLElement | null} */ (null));
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  const list = useMemo(() => segments(trace?.blocks ?? []), [trace]);
  const here = useComputed(() => segmentOf(segments(opened.value?.blocks ?? []), cursor.value)?.start).value;
  // A step moves the head and nothing else: no element is built again.
  useSignalEffect(() => {
    const step = cursor.value;
    const all = segments(opened.value?.blocks ?? []);
    const share = `${(100 * shareOf(all, step)).toFixed(3)}%`;
    if (head.current) head.current.style.left = share;
    const track = root.current;
    if (!track) return;
    const done = /** @type {HTMLElement | null} */ (track.querySelector(".done"));
    if (done) done.style.width = share;
    const at = segmentOf(all, step);
    track.setAttribute("aria-valuenow", String(step));
    track.setAttribute("aria-valuetext", t.value("timeline.at", { phase: t.value(`phase.${at?.phase ?? "forward"}`), node: at?.node ?? "", step: groups(step) }));
  });
  if (!trace) return null;
  const phases = phasesOf(list);
  return html`<div class=${`track ${phases.length > 1 ? "four" : ""}`} ref=${root} role="slider" tabindex="0" aria-label=${tr("timeline.track")} aria-valuemin="0"
      aria-valuemax=${trace.steps - 1} aria-valuenow=${cursor.peek()} ...${dragging((share) => stepAt(list, share))}>
    ${phases.map(({ phase, x0, x1, segments: own }) => html`<div key=${phase} class=${`phase ${phase}`} data-testid=${`phase-${phase}`}
        style=${{ left: `${100 * x0}%`, width: `${100 * (x1 - x0)}%` }}>
      ${own.map((segment) => html`<div key=${segment.node} class=${`seg-node ${segment.start === here ? "on" : ""}`}
        style=${{ left: `${(100 * (segment.x0 - x0)) / (x1 - x0)}%`, width: `${(100 * (segment.x1 - segment.x0)) / (x1 - x0)}%` }}
        title=${tr("timeline.layer", { phase: tr(`phase.${phase}`), node: segment.node, n: groups(segment.stop - segment.start) })}><span>${segment.node}</span></div>`)}
      ${phases.length > 1 && html`<b class="phase-name">${tr(`phase.${phase}`)}</b>`}
    </div>`)}
    <div class="done"></div>
    <div class="playhead" ref=${head}></div>
  </div>`;
}

/** The channel under the head, row by row. */
export function Nest() {
  const tr = t.value;
  const done = useRef(/** @type {HTMLElement | null} */ (null));
  const text = useRef(/** @type {HTMLElement | null} */ (null));
  const range = () => {
    const block = opened.value?.blocks.find(({ stop }) => cursor.value < stop);
    return block ? { block, ...stretch(block, cursor.value) } : null;
  };
  useSignalEffect(() => {
    const at = range();
    if (!at || !done.current || !text.current) return;
    done.current.style.width = `${((100 * (cursor.value + 1 - at.start)) / (at.stop - at.start)).toFixed(3)}%`;
    text.current.textContent = at.channel === null
      ? t.value("timeline.nest.vector", { tensor: at.block.writes, row: at.row, rows: at.rows })
      : t.value("timeline.nest", { tensor: at.block.writes, channel: at.channel, row: at.row, rows: at.rows });
  });
  const toStep = (/** @type {number} */ share) => {
    const at = range();
    return at ? Math.min(at.stop - 1, at.start + Math.floor(share * (at.stop - at.start))) : 0;
  };
  return html`<div class="nest track" title=${tr("timeline.nest.about")} data-testid="nested" aria-hidden="true" ...${dragging(toStep)}>
    <div class="done" ref=${done}></div><span ref=${text}></span>
  </div>`;
}
