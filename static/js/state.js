/** Every signal of the application, in one place. Actions write them; the interface reads them. */
import { computed, effect, signal } from "@preact/signals";
import { blockAt } from "./lib/cells.js";

/** @typedef {import("./types.d.ts").Boot} Boot */
/** @template T @typedef {import("@preact/signals").Signal<T>} Signal */

/** What the server put into the page. @type {Boot} */
export const boot = JSON.parse(document.getElementById("boot")?.textContent ?? "{}");

/** The socket. "lost" is seen only after it has been open once. @type {Signal<"connecting" | "open" | "lost">} */
export const conn = signal("connecting");
/** The trace on the screen. It stays when a newer scenario turns out to be impossible. @type {Signal<import("./types.d.ts").Opened | null>} */
export const opened = signal(null);
/** The document last asked for; once the server has answered, with all defaults filled in. @type {Signal<import("./types.d.ts").ScenarioDoc | null>} */
export const scenario = signal(null);
/** The same as the user's actions made it, without the defaults: short enough for an address, and what the next action changes. @type {Signal<import("./types.d.ts").ScenarioDoc | null>} */
export const asked = signal(null);
/** Which preset the document came from; null for a document of one's own. @type {Signal<string | null>} */
export const preset = signal(null);
/** An `open` is under way. */
export const pending = signal(false);

/** The step looked at, 0 … steps − 1. */
export const cursor = signal(0);
/** The map on the stage; null shows the network only. @type {Signal<import("./types.d.ts").Focus | null>} */
export const focus = signal(null);
/** @type {Signal<import("./types.d.ts").Hover | null>} */
export const hover = signal(null);
/** @type {Signal<import("./types.d.ts").Hover | null>} */
export const pinned = signal(null);
/** The step at the cursor, once it has arrived; the one before stays until then. @type {Signal<import("./types.d.ts").StepView | null>} */
export const stepData = signal(null);
/** The same step in the block's other readings, by name; `index` says of which step. @type {Signal<{index: number, steps: Record<string, import("./types.d.ts").StepView>}>} */
export const otherReadings = signal({ index: -1, steps: {} });
/** What the network map shows: thumbnails of maps, whole vectors; a new Map on each change. @type {Signal<Map<string, import("./types.d.ts").TensorView>>} */
export const mapData = signal(new Map());
/** Tensors with the engine's own numbers, for the stage, fetched when a step first reads them; a new Map on each change. @type {Signal<Map<string, import("./types.d.ts").TensorView>>} */
export const exactData = signal(new Map());
/** The same of the gradients of the maps, once the way back has begun. @type {Signal<Map<string, import("./types.d.ts").TensorView>>} */
export const gradMaps = signal(new Map());
/** Whether the cursor is on the way back or in the update: then the map shows gradients under its values. */
export const backwards = computed(() => {
  const blocks = opened.value?.blocks ?? [];
  const phase = blocks[blockAt(blocks, cursor.value)]?.phase;
  return phase === "backward" || phase === "update";
});
/** Which sample is shown when there are several. */
export const sample = signal(0);

/** @type {Signal<import("./types.d.ts").ScaleMode>} */
export const scaleMode = signal("layer");
/** @type {Signal<"explain" | "receipt" | "code" | "chain">} */
export const tab = signal("explain");
/** @type {Signal<import("./types.d.ts").Unit>} */
export const unit = signal("step");
/** Steps per second. */
export const speed = signal(12);
export const playing = signal(false);
/** How often somebody went on at the last step, or played up to it. */
export const pastEnd = signal(0);
/** How often playing came to the last step. */
export const playedOut = signal(0);

/** Iterations that led to the document on the screen: the one they began with, the losses so far, and what the last update promised.
 * @type {Signal<{base: import("./types.d.ts").ScenarioDoc, doc: import("./types.d.ts").ScenarioDoc, n: number, losses: (number | null)[], predicted: number | null} | null>} */
export const loop = signal(null);
/** The same while its document is on the screen: an edit ends it. */
export const looping = computed(() => (loop.value && loop.value.doc === asked.value ? loop.value : null));
/** Playing goes on into the next iteration. */
export const repeat = signal(false);

/** @type {Signal<import("./types.d.ts").Notice | null>} */
export const notice = signal(null);
/** The field of the document that the server refused, until the next good answer. @type {Signal<{path: string, message: string} | null>} */
export const fieldError = signal(null);

/** @type {Signal<import("./types.d.ts").Theme>} */
export const theme = signal("light");
/** @type {Signal<import("./types.d.ts").Lang>} */
export const lang = signal("en");
/** The strings of the language, by key. @type {Signal<Record<string, string>>} */
export const catalogue = signal({});
/** Resolves once there are strings: what is said before then would show its keys. @type {Promise<void>} */
export const speaking = new Promise((resolve) => {
  effect(() => { if (Object.keys(catalogue.value).length > 0) resolve(); });
});
/** Translates; a missing key shows itself, and the catalogue test keeps that from happening. @type {import("@preact/signals").ReadonlySignal<import("./types.d.ts").Translate>} */
export const t = computed(() => {
  const strings = catalogue.value;
  return (key, args) => {
    const text = strings[key] ?? key;
    return args ? text.replace(/\{(\w+)\}/g, (whole, name) => (name in args ? String(args[name]) : whole)) : text;
  };
});

/** @type {Signal<import("./types.d.ts").Layout>} */
export const layout = signal("wide");
export const reducedMotion = signal(false);
