/** See activation.js. */
export { explain, View } from "./activation.js";
