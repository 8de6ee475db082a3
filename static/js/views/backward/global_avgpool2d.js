/** See maxpool2d.js. */
export { explain, View } from "./maxpool2d.js";
