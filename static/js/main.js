/** Starts the page: theme, language, socket, first scenario; then draws. */
import { effect } from "@preact/signals";
import { begin, setLang, travel } from "./actions.js";
import { followPlace, onTravel } from "./link.js";
import { reopen } from "./open.js";
import { boot, layout, reducedMotion, theme } from "./state.js";
import { followCursor, followReadings, pushed, resumePlay } from "./steps.js";
import { connect } from "./stream.js";
import "./ui/vnodes.js";

/** @param {string} key @returns {string | null} */
function stored(key) {
  try {
    return localStorage.getItem(`convoscope.${key}`);
  } catch {
    return null;
  }
}

/** The system's choice until the user makes one. */
function followTheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const chosen = stored("theme");
  theme.value = chosen === "dark" || chosen === "light" ? chosen : dark.matches ? "dark" : "light";
  dark.addEventListener("change", () => {
    if (!stored("theme")) theme.value = dark.matches ? "dark" : "light";
  });
  effect(() => { document.documentElement.dataset.theme = theme.value; });
}

function followLayout() {
  const narrow = matchMedia("(max-width: 600px)");
  const medium = matchMedia("(max-width: 1100px)");
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const set = () => {
    layout.value = narrow.matches ? "narrow" : medium.matches ? "medium" : "wide";
    reducedMotion.value = still.matches;
  };
  for (const query of [narrow, medium, still]) query.addEventListener("change", set);
  set();
}

/** The language chosen before, else the first of the browser's that there is a catalogue for. @returns {import("./types.d.ts").Lang} */
function firstLanguage() {
  const wishes = [stored("lang"), ...navigator.languages, boot.lang_default];
  for (const wish of wishes) {
    if (!wish) continue;
    if (/^zh/i.test(wish)) return /hant|tw|hk|mo/i.test(wish) ? "zh-Hant" : "zh-Hans";
    if (/^en/i.test(wish)) return "en";
  }
  return "en";
}

followTheme();
followLayout();
connect(pushed, () => void reopen().then(resumePlay));
followCursor();
followReadings();
followPlace();
onTravel((place) => void travel(place));
// The scenario is computed while the interface is still being fetched: requests wait for the socket only.
const opening = begin();
const [{ App }, { html }, { render }] = await Promise.all([import("./ui/app.js"), import("htm/preact"), import("preact"), setLang(firstLanguage())]);
const root = /** @type {HTMLElement} */ (document.getElementById("app"));
root.replaceChildren();
render(html`<${App} />`, root);
await opening;
