/** Parts of the page that are fetched when they are first wanted, so that the first picture does not wait for them. */
import { signal } from "@preact/signals";
import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";

/** First and longest pause before a module is fetched again, ms. */
const [PAUSE_MS, LONGEST_MS] = [500, 8000];

/** The server may be gone for a moment: asks until it answers. @template Module @param {() => Promise<Module>} load @returns {Promise<Module>} */
async function patiently(load) {
  for (let pause = PAUSE_MS; ; pause = Math.min(LONGEST_MS, pause * 2)) {
    try {
      return await load();
    } catch {
      await new Promise((done) => { setTimeout(done, pause); });
    }
  }
}

/**
 * Shows a component once its module has come; nothing until then.
 * @param {{load: () => Promise<any>, props?: object}} props load must be the same function every time
 */
export function Late({ load, props = {} }) {
  const [Part, setPart] = useState(/** @type {any} */ (null));
  useEffect(() => {
    let wanted = true;
    void patiently(load).then((part) => { if (wanted) setPart(() => part); });
    return () => { wanted = false; };
  }, [load]);
  return Part ? html`<${Part} ...${props} />` : null;
}

/** Stage and inspector with all the views behind them: half of the program. @type {import("@preact/signals").Signal<{Stage: any, Inspector: any} | null>} */
export const stageParts = signal(null);

/** What the network map shows on the way back. @type {import("@preact/signals").Signal<typeof import("./map_back.js") | null>} */
export const backParts = signal(null);

/** Fetched once a target has been chosen. */
export async function fetchBack() {
  backParts.value ??= await patiently(() => import("./map_back.js"));
}

let asked = false;

/** Fetches them: after the maps are on the screen, or at once when an address or a click asks for a stage. */
export async function fetchStage() {
  if (asked) return;
  asked = true;
  const [{ Stage }, { Inspector }] = await patiently(() => Promise.all([import("./stage.js"), import("./inspector.js")]));
  stageParts.value = { Stage, Inspector };
}
