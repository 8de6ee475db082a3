/** Global average pooling is average pooling with a window as large as the map. */
export { View, explain } from "./avgpool2d.js";
