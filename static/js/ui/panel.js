/** What floats over the page. Local to the interface: none of it belongs to a permalink. */
import { signal } from "@preact/signals";

/** The one open card or dialog. @type {import("@preact/signals").Signal<null | "init" | "help" | "draw" | "goal" | "saliency">} */
export const panel = signal(null);

/** The map under the pointer, for its legend. @type {import("@preact/signals").Signal<{node: string, channel: number} | null>} */
export const hoverMap = signal(null);

/** Whether the inspector's drawer is open; only medium layouts have a drawer. */
export const drawer = signal(false);

/** Whether a picture is on its way to the server. */
export const uploading = signal(false);

/** Opens a card, or closes it when it is the open one. @param {"init" | "help" | "draw" | "goal" | "saliency"} name */
export function togglePanel(name) {
  panel.value = panel.value === name ? null : name;
}

/** Pictures of one's own that were shown in this visit, newest first. @type {import("@preact/signals").Signal<string[]>} */
export const ownPictures = signal([]);
