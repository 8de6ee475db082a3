/** Flatten moves numbers and computes nothing: source cell → index. */
export { Copy as View, explainCopy as explain } from "./parts/Copy.js";
