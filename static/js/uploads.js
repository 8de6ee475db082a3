/** Pictures of the user's own: sent by HTTP, and remembered in this page, so that a server that was started anew can be given them again. */
import { StreamError } from "./stream.js";

/** @typedef {{id: string, width: number, height: number, format: string, frames: number, notes?: string[]}} ImageInfo */

/** Pictures remembered; a photo has a few MiB. */
const KEPT = 6;
/** @type {Map<string, Blob>} */
const sent = new Map();

/** @param {Blob} blob @returns {Promise<ImageInfo>} @throws {StreamError} when the server refuses it */
export async function send(blob) {
  const form = new FormData();
  form.append("file", blob, blob instanceof File ? blob.name : "picture.png");
  const response = await fetch("/api/images", { method: "POST", body: form });
  const answer = await response.json();
  if (!response.ok) throw new StreamError(answer);
  sent.delete(answer.id);
  sent.set(answer.id, blob);
  for (const oldest of sent.keys()) {
    if (sent.size <= KEPT) break;
    sent.delete(oldest);
  }
  return answer;
}

/** Sends a picture again that the server has lost. @param {string | undefined} id @returns {Promise<boolean>} whether it has it now */
export async function sendAgain(id) {
  const blob = id === undefined ? undefined : sent.get(id);
  if (!blob) return false;
  return send(blob).then((answer) => answer.id === id, () => false);
}
