/** Numbers around the stage: values in two lengths (`short` has two decimals), and whole numbers in groups of three. */
export { cell as short, fixed, mid as number, tiny } from "../views/parts/numbers.js";

/** 219482 → "219 482", with a narrow space that does not break. @param {number} n a whole number */
export function groups(n) {
  return String(n).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}
