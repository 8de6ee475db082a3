/** The slope of a loss: see mse.js. */
export { explain, View } from "./mse.js";
