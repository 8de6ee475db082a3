/** Pictures coming in (file, drop, paste) and the link going out. */
import { signal } from "@preact/signals";
import { html } from "htm/preact";
import { useEffect } from "preact/hooks";
import { uploadImage } from "../actions.js";
import { notice, t } from "../state.js";
import { panel, uploading } from "./panel.js";

/** Whether a file is being dragged over the page. */
const dragged = signal(false);

/** Uploads one picture; what is wrong with it comes back as a notice from the action. @param {Blob} blob */
export async function take(blob) {
  panel.value = null;
  uploading.value = true;
  try {
    await uploadImage(blob);
  } finally {
    uploading.value = false;
  }
}

/** Asks for a file. The input lives only as long as the question. */
export function pickFile() {
  const input = document.createElement("input");
  input.type = "file";
  input.accept = "image/png,image/jpeg,image/webp,image/gif,image/bmp";
  input.addEventListener("change", () => {
    const file = input.files?.[0];
    if (file) void take(file);
  });
  input.click();
}

/** The first file of a drop or a paste, if there is one. @param {DataTransfer | null} data */
function fileOf(data) {
  return [...(data?.files ?? [])][0] ?? null;
}

/** Puts the address of this moment on the clipboard. */
export async function copyLink() {
  try {
    await navigator.clipboard.writeText(location.href);
    notice.value = { level: "info", text: t.value("notice.copied") };
  } catch {
    // no permission, or not a secure context (a LAN address): show the link so that it can be copied by hand
    notice.value = { level: "info", text: t.value("notice.copy_by_hand", { link: location.href }), sticky: true };
  }
}

/** Takes dropped and pasted pictures anywhere on the page, and shows where a dragged one may be let go. */
export function DropTarget() {
  useEffect(() => {
    let depth = 0; // dragenter and dragleave come for every element on the way
    const carries = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") ?? false;
    /** @type {Record<string, (event: any) => void>} */
    const handlers = {
      dragenter: (event) => { if (carries(event)) { depth += 1; dragged.value = true; event.preventDefault(); } },
      dragover: (event) => { if (carries(event)) event.preventDefault(); },
      dragleave: (event) => { if (carries(event)) { depth = Math.max(0, depth - 1); dragged.value = depth > 0; } },
      drop: (event) => {
        if (!carries(event)) return;
        event.preventDefault();
        depth = 0;
        dragged.value = false;
        const file = fileOf(event.dataTransfer);
        if (file) void take(file);
      },
      paste: (event) => {
        const file = fileOf(event.clipboardData);
        if (file) { event.preventDefault(); void take(file); }
      },
    };
    for (const [type, handler] of Object.entries(handlers)) window.addEventListener(type, handler);
    return () => { for (const [type, handler] of Object.entries(handlers)) window.removeEventListener(type, handler); };
  }, []);
  return dragged.value ? html`<div class="drop" data-testid="drop-target">${t.value("header.drop")}</div>` : null;
}
