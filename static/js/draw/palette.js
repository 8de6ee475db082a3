import { lut } from "../lib/colour.js";

/** @typedef {"value" | "weight" | "grad" | "grey"} Accent  "grey" draws pictures: 0 black, 1 white. */
/** @typedef {"light" | "dark"} Theme */

/**
 * The colours a canvas needs besides the scales; the same as the custom properties in tokens.css, which a canvas cannot read cheaply.
 * @type {Record<Theme, Record<"ink" | "soft" | "faint" | "line" | "wash" | "paper" | "panel" | "now" | "nowEdge" | "checkA" | "checkB" | "hatch" | "data" | "weight" | "grad", string>>}
 */
export const INKS = {
  light: {
    ink: "#1b1c21", soft: "#5c5e67", faint: "#6f717a", line: "#e6e4df", wash: "#f3f1ec", paper: "#fbfaf8", panel: "#ffffff",
    now: "#f2b705", nowEdge: "#1b1c21", checkA: "#f1efea", checkB: "#f7f5f1", hatch: "#d3d0c8",
    data: "#2166ac", weight: "#01766a", grad: "#aa5205",
  },
  dark: {
    ink: "#ececf0", soft: "#b3b5bf", faint: "#9496a1", line: "#2d2f37", wash: "#22242a", paper: "#15161a", panel: "#1c1d22",
    now: "#f2b705", nowEdge: "#ececf0", checkA: "#1b1c21", checkB: "#1f2026", hatch: "#3b3d46",
    data: "#74add1", weight: "#5ab4a8", grad: "#f0a04b",
  },
};

/** @type {Map<string, {css: string[], text: string[]}>} */
const tables = new Map();

/** @param {Accent} accent @param {Theme} theme */
function table(accent, theme) {
  const key = `${accent} ${theme}`;
  let found = tables.get(key);
  if (!found) {
    const rgba = bytes(accent, theme);
    found = { css: [], text: [] };
    for (let i = 0; i < 256; i++) {
      const [r, g, b] = [rgba[4 * i], rgba[4 * i + 1], rgba[4 * i + 2]];
      found.css.push(`rgb(${r},${g},${b})`);
      found.text.push(contrast(r, g, b));
    }
    tables.set(key, found);
  }
  return found;
}

/** Relative luminance decides between black and white, so that numbers keep 4.5:1 on every colour of every scale; a softer ink would not where they meet.
 * @param {number} r @param {number} g @param {number} b */
function contrast(r, g, b) {
  const linear = [r, g, b].map((v) => ((v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] > 0.179 ? "#000000" : "#ffffff";
}

const GREY = new Uint8ClampedArray(1024).map((_, i) => (i % 4 === 3 ? 255 : i >> 2));

/**
 * 256 RGBA entries: from −absmax to +absmax for the diverging scales, from 0 to 1 for grey.
 * @param {Accent} accent @param {Theme} theme @returns {Uint8ClampedArray}
 */
export function bytes(accent, theme) {
  return accent === "grey" ? GREY : lut(accent, theme);
}

/**
 * Entry of the table for a value; not-finite values have none (−1).
 * @param {number} value @param {Accent} accent @param {number} absmax
 */
export function entry(value, accent, absmax) {
  if (!Number.isFinite(value)) return -1;
  const unit = accent === "grey" ? value : absmax > 0 ? 0.5 + (0.5 * value) / absmax : 0.5;
  return Math.max(0, Math.min(255, Math.round(unit * 255)));
}

/**
 * @param {number} value @param {Accent} accent @param {number} absmax @param {Theme} theme
 * @returns {{fill: string, text: string}} CSS colours of a cell and of the number on it
 */
export function cellColours(value, accent, absmax, theme) {
  const i = entry(value, accent, absmax);
  if (i < 0) return { fill: theme === "dark" ? "#4a2a5e" : "#e9d3f5", text: INKS[theme].ink };
  const colours = table(accent, theme);
  return { fill: colours.css[i], text: colours.text[i] };
}

/** CSS gradient stops of a scale, for legends. @param {Accent} accent @param {Theme} theme */
export function gradientStops(accent, theme) {
  const colours = table(accent, theme).css;
  return [0, 32, 64, 96, 128, 159, 191, 223, 255].map((i) => colours[i]).join(",");
}
