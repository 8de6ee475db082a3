/** A row of joined buttons of which exactly one is pressed. */
import { html } from "htm/preact";

/**
 * @template {string | number} T
 * @param {{label: string, prefix: string, value: T, choices: {value: T, label: string, title?: string}[], onChoose: (value: T) => void}} props
 *   prefix: of the data-testids, `<prefix>-<value>`
 */
export function Segmented({ label, prefix, value, choices, onChoose }) {
  return html`<span class="seg" role="group" aria-label=${label}>
    ${choices.map((choice) => html`<button type="button" key=${choice.value} aria-pressed=${choice.value === value} title=${choice.title}
      data-testid=${`${prefix}-${choice.value}`} onClick=${() => onChoose(choice.value)}>${choice.label}</button>`)}
  </span>`;
}
