/** KaTeX with its style sheet, fetched when the first formula is shown and only once. */

/** @type {Promise<any> | null} */
let loading = null;

/** @returns {Promise<{render: (tex: string, element: HTMLElement, options?: object) => void}>} */
export function loadKatex() {
  loading ??= Promise.all([import("katex"), styled()]).then(([module]) => module.default);
  return loading;
}

/** Without its style sheet KaTeX shows everything twice. @returns {Promise<void>} */
function styled() {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = new URL("../../vendor/katex/katex.min.css", import.meta.url).href;
  const done = new Promise((resolve) => { link.onload = link.onerror = () => resolve(undefined); });
  document.head.append(link);
  return /** @type {Promise<void>} */ (done);
}
