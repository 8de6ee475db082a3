/** tanh is drawn like every activation: x map → curve with the point on it → y map. */
export { View, explain } from "./activation.js";
