/** What went wrong, in the user's language. */
import { t } from "./state.js";
import { StreamError } from "./stream.js";

/**
 * The catalogue's text for the reason the server gave; without one, the server's own sentence, which is English.
 * @param {unknown} error @returns {string}
 */
export function errorText(error) {
  const tr = t.peek();
  if (!(error instanceof StreamError)) return tr("error.unexpected", { message: String(error) });
  const { reason, value, bound, field } = error;
  const key = `error.reason.${reason}`;
  const text = tr(key, { value: shown(value), bound: shown(bound), field });
  return text === key ? error.message : text;
}

/** @param {unknown} value @returns {string} */
function shown(value) {
  if (typeof value === "number") return value.toLocaleString("en").replaceAll(",", "\u202f");
  return typeof value === "string" ? value : JSON.stringify(value) ?? "";
}
