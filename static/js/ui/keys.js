/** The keys of the whole page. A field, a menu or the map that has the focus keeps its own keys. */
import { first, last, move, setTheme, toggle, unfocus } from "../actions.js";
import { theme } from "../state.js";
import { drawer, panel } from "./panel.js";

/** Every key and what it does: the handler and the help both read this list. `keys` is what the help shows. */
export const KEYS = /** @type {const} */ ([
  { keys: ["Space"], does: "play" },
  { keys: ["←", "→"], does: "step" },
  { keys: ["Shift", "←", "→"], does: "row" },
  { keys: ["↑", "↓"], does: "channel" },
  { keys: ["PageUp", "PageDown"], does: "layer" },
  { keys: ["Home", "End"], does: "ends" },
  { keys: ["Esc"], does: "escape" },
  { keys: ["t"], does: "theme" },
  { keys: ["?"], does: "help" },
]);

/** @param {KeyboardEvent} event @returns {(() => void) | undefined} what the key does */
function action(event) {
  const across = event.shiftKey ? "row" : "step";
  const down = event.altKey ? "layer" : "channel";
  /** @type {Record<string, () => void>} */
  const table = {
    " ": toggle,
    ArrowLeft: () => move(across, -1),
    ArrowRight: () => move(across, 1),
    ArrowUp: () => move(down, -1),
    ArrowDown: () => move(down, 1),
    PageUp: () => move("layer", -1),
    PageDown: () => move("layer", 1),
    Home: first,
    End: last,
    Escape: escape,
    t: () => setTheme(theme.value === "dark" ? "light" : "dark"),
    "?": () => (panel.value = "help"),
  };
  return table[event.key];
}

/** Escape closes what lies on top: a card, the drawer, then the stage. */
function escape() {
  if (panel.value) panel.value = null;
  else if (drawer.value) drawer.value = false;
  else leaveStage();
}

/** Back to the network, the focus on the map that was open. */
function leaveStage() {
  unfocus();
  requestAnimationFrame(() => /** @type {HTMLElement | null} */ (document.querySelector(".map [tabindex='0']"))?.focus({ preventScroll: true }));
}

/** Whether an element needs this key itself. @param {EventTarget | null} target @param {KeyboardEvent} event */
function owns(target, event) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest("dialog, [role=menu], [contenteditable]")) return true;
  if (target.matches("input[type=range]")) return event.key.startsWith("Arrow") || ["Home", "End", "PageUp", "PageDown"].includes(event.key);
  if (target.matches("input, select, textarea")) return event.key !== "Escape";
  return target.matches("button, summary, [role=tab]") && event.key === " ";
}

/** Listens until the returned function is called. */
export function installKeys() {
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || owns(event.target, event)) return;
    if (event.altKey && event.key !== "ArrowUp" && event.key !== "ArrowDown") return; // Alt+← is the browser's own "back"
    const act = action(event);
    if (!act) return;
    event.preventDefault();
    act();
  };
  window.addEventListener("keydown", onKey);
  return () => window.removeEventListener("keydown", onKey);
}
