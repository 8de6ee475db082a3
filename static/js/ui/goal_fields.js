/** Number fields, pairs and switches of a part of the document; a refused one is marked and says why. */
import { html } from "htm/preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { fieldError, t } from "../state.js";

/** What is no plain number. @type {Record<string, "switch" | "pair" | "optional">} */
const FORMS = { nesterov: "switch", centered: "switch", amsgrad: "switch", betas: "pair", clip_norm: "optional", clip_value: "optional" };

/**
 * @param {{path: string, fields: string[], values: Record<string, any>, onSet: (patch: Record<string, unknown>) => unknown}} props
 *   path: of the values in the document, under which the server names what it refuses
 */
export function Fields({ path, fields, values, onSet }) {
  return html`${fields.map((name) => html`<${Field} key=${name} path=${path} name=${name} value=${values[name]} onSet=${onSet} />`)}`;
}

/** @param {{path: string, name: string, value: any, onSet: (patch: Record<string, unknown>) => unknown}} props */
function Field({ path, name, value, onSet }) {
  const form = FORMS[name];
  const testid = `${path}-${name}`.replaceAll(".", "-");
  const wrong = fieldError.value?.path === `${path}.${name}`;
  if (form === "switch") {
    return html`<label class="field check-field"><input type="checkbox" checked=${Boolean(value)} data-testid=${testid}
      onChange=${(/** @type {any} */ event) => onSet({ [name]: event.target.checked })} />${name}</label>`;
  }
  if (form === "pair") {
    const pair = Array.isArray(value) ? value : [0.9, 0.999];
    return html`${[0, 1].map((i) => html`<${NumberField} key=${i} label=${`β${"₁₂"[i]}`} testid=${`${testid}-${i}`} wrong=${wrong} value=${pair[i]}
      onSet=${(/** @type {number} */ v) => onSet({ [name]: pair.with(i, v) })} />`)}`;
  }
  return html`<${NumberField} label=${name} testid=${testid} wrong=${wrong} value=${value ?? ""} placeholder=${form === "optional" ? t.value("goal.off") : ""}
    onSet=${(/** @type {number} */ v) => onSet({ [name]: v })} onClear=${form === "optional" ? () => onSet({ [name]: null }) : undefined} />`;
}

/**
 * A number; sent when it has been typed, not while it is. Free text, because 1e-4 and 0.0001 are both welcome.
 * @param {{label: string, testid: string, value: number | string, wrong?: boolean, placeholder?: string, min?: number, max?: number,
 *   onSet: (value: number) => unknown, onClear?: () => unknown}} props
 */
export function NumberField({ label, testid, value, wrong = false, placeholder = "", onSet, onClear }) {
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  // an answer may come while somebody types: the number stays theirs
  useLayoutEffect(() => {
    if (field.current && document.activeElement !== field.current) field.current.value = String(value);
  }, [value]);
  const commit = (/** @type {any} */ event) => {
    const text = event.target.value.trim().replace("−", "-").replace(",", ".");
    const number = Number(text);
    if (text === "" && onClear) onClear();
    else if (text !== "" && Number.isFinite(number)) onSet(number);
    else event.target.value = String(value);
  };
  return html`<label class=${`field ${wrong ? "wrong" : ""}`}>${label}<input type="text" inputmode="decimal" size="8" autocomplete="off" data-testid=${testid} aria-invalid=${wrong}
    placeholder=${placeholder} ref=${field} onChange=${commit} onBlur=${(/** @type {any} */ event) => (event.target.value = String(value))} /></label>`;
}
