/** Concatenation lays maps one behind the other: source cell → cell. */
export { Copy as View, explainCopy as explain } from "./parts/Copy.js";
