/**
 * Numbers as the stage writes them: true minus, no "−0.00", short in cells, complete in tips.
 */

/** @param {string} text */
const minus = (text) => text.replace("-", "−");

/** Fixed decimals; a rounded zero loses its sign, infinities and not-a-number are named. @param {number} v @param {number} decimals */
export function fixed(v, decimals) {
  if (Number.isNaN(v)) return "NaN";
  if (!Number.isFinite(v)) return v < 0 ? "−∞" : "∞";
  const text = v.toFixed(decimals);
  return minus(Number(text) === 0 ? text.replace("-", "") : text);
}

/** For a cell: whole numbers as they are, otherwise about three figures. @param {number} v */
export function cell(v) {
  if (!Number.isFinite(v)) return fixed(v, 0);
  const size = Math.abs(v);
  if (Number.isInteger(v) && size < 1e5) return minus(String(v));
  if (size >= 1e4) return minus(v.toExponential(0).replace("e+", "e"));
  return fixed(v, size >= 1000 ? 0 : size >= 100 ? 1 : 2);
}

/** For a cell of a small grid of gradients, which are often small: one figure rather than a zero. @param {number} v */
export function tiny(v) {
  return v !== 0 && Math.abs(v) < 5e-3 ? minus(v.toExponential(0)) : cell(v);
}

/** For sums and chips: three decimals, more when nothing would be left of it. @param {number} v */
export function mid(v) {
  if (!Number.isFinite(v)) return fixed(v, 0);
  const size = Math.abs(v);
  if (Number.isInteger(v) && size < 1e6) return minus(String(v));
  if (size >= 1e6 || size < 1e-5) return scientific(v, 1);
  if (size < 5e-4) return fixed(v, 5);
  return fixed(v, size >= 1000 ? 1 : 3);
}

/** All figures a float32 has. @param {number} v */
export function full(v) {
  if (!Number.isFinite(v)) return fixed(v, 0);
  if (v !== 0 && (Math.abs(v) < 1e-4 || Math.abs(v) >= 1e7)) return scientific(v, 6);
  return minus(String(+v.toPrecision(7)));
}

const SUPER = /** @type {Record<string, string>} */ ({ "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" });

/** 3.2 × 10⁻⁸. @param {number} v @param {number} figures after the point */
export function scientific(v, figures) {
  if (v === 0) return "0";
  const [mantissa, exponent] = v.toExponential(figures).split("e");
  const power = String(Number(exponent)).replace(/./g, (c) => SUPER[c] ?? c);
  return `${minus(String(+mantissa))} × 10${power}`;
}
