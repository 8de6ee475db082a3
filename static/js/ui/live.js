/** A polite live account of the step for those who listen: one sentence, at most every 700 ms, never while playing. */
import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";
import { number } from "../lib/format.js";
import { focus, playing, stepData, t } from "../state.js";

export function LiveStep() {
  const [text, setText] = useState("");
  const step = stepData.value;
  const quiet = playing.value || !focus.value;
  useEffect(() => {
    if (!step || quiet) return;
    const timer = setTimeout(() => {
      setText(t.value("live.step", { tensor: step.block.writes, cell: step.cell.join(", "), result: number(step.result), n: step.terms.length }));
    }, 700);
    return () => clearTimeout(timer);
  }, [step, quiet]);
  return html`<p class="vh" aria-live="polite" data-testid="live">${text}</p>`;
}
