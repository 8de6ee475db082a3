/** See copy.js. */
export { explain, View } from "./copy.js";
