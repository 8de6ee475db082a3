/**
 * The shapes of the activation functions, for drawing the curve behind the point. The point itself, like every number on the stage, comes from the engine.
 * @type {Record<string, (x: number, config: Record<string, any>) => number>}
 */
export const CURVES = {
  relu: (x) => Math.max(0, x),
  leaky_relu: (x, c) => (x < 0 ? Number(c.negative_slope ?? 0.01) * x : x),
  elu: (x, c) => (x < 0 ? Number(c.alpha ?? 1) * Math.expm1(x) : x),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  tanh: Math.tanh,
  gelu: (x, c) => (c.approximate === "tanh" ? 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))) : 0.5 * x * (1 + erf(x / Math.SQRT2))),
};

/** Abramowitz & Stegun 7.1.26, error below 1.5e-7: far finer than a pixel. @param {number} x */
function erf(x) {
  const u = 1 / (1 + 0.3275911 * Math.abs(x));
  const poly = ((((1.061405429 * u - 1.453152027) * u + 1.421413741) * u - 0.284496736) * u + 0.254829592) * u;
  return Math.sign(x) * (1 - poly * Math.exp(-x * x));
}
