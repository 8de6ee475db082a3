/**
 * The three diverging scales, one per role, zero in the middle. Their ends are colour-blind safe (ColorBrewer RdBu, PuOr, and a magenta–teal of the same build);
 * in the dark theme the middle is the wash of the page, so that zero recedes in both.
 */

/** @type {Record<"value" | "weight" | "grad", string[]>} from −absmax to +absmax */
const STOPS = {
  value: ["#b2182b", "#ef8a62", "#fddbc7", "#f7f7f5", "#d1e5f0", "#67a9cf", "#2166ac"],
  weight: ["#a3247d", "#d178b4", "#f2d7e8", "#f7f7f5", "#c9e8e3", "#5ab4ac", "#01665e"],
  grad: ["#542788", "#998ec3", "#d8daeb", "#f7f7f5", "#fee0b6", "#f1a340", "#b35806"],
};
const DARK_ZERO = "#22242a";

/** @param {string} hex @returns {number[]} */
function rgb(hex) {
  return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
}

/** @param {number[]} a @param {number[]} b @param {number} u */
function mix(a, b, u) {
  return a.map((v, i) => v + (b[i] - v) * u);
}

/** @param {"value" | "weight" | "grad"} accent @param {"light" | "dark"} theme */
function stopsOf(accent, theme) {
  const stops = STOPS[accent].map(rgb);
  if (theme === "dark") {
    const zero = rgb(DARK_ZERO);
    stops[3] = zero;
    stops[2] = mix(stops[1], zero, 0.62);
    stops[4] = mix(stops[5], zero, 0.62);
  }
  return stops;
}

/** @type {Map<string, Uint8ClampedArray>} */
const tables = new Map();

/**
 * A scale as 256 RGBA entries: entry 0 is −absmax, 255 is +absmax.
 * @param {"value" | "weight" | "grad"} accent
 * @param {"light" | "dark"} theme
 * @returns {Uint8ClampedArray} 1 024 bytes, shared: do not write into it
 */
export function lut(accent, theme) {
  const key = `${accent} ${theme}`;
  let table = tables.get(key);
  if (!table) {
    table = new Uint8ClampedArray(1024);
    const stops = stopsOf(accent, theme);
    for (let i = 0; i < 256; i++) {
      const at = (i / 255) * 6;
      const k = Math.min(5, Math.floor(at));
      table.set([...mix(stops[k], stops[k + 1], at - k), 255], 4 * i);
    }
    tables.set(key, table);
  }
  return table;
}
