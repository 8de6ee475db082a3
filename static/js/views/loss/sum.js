/** The same view as cross-entropy's: it shows whatever stations a loss has. */
export { explain, View } from "./cross_entropy.js";
