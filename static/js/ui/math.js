import { boot } from "../state.js";

/** @type {Promise<any> | null} */
let library = null;

/** KaTeX and its style sheet, fetched when the first formula is shown: 80 KB that the first screen does not need. */
function load() {
  if (!library) {
    const sheet = document.createElement("link");
    sheet.rel = "stylesheet";
    sheet.href = `${boot.static}/vendor/katex/katex.min.css`;
    const styled = new Promise((resolve) => {
      sheet.onload = sheet.onerror = resolve;
    });
    document.head.append(sheet);
    library = Promise.all([import("katex"), styled]).then(() => /** @type {any} */ (globalThis).katex);
  }
  return library;
}

/**
 * Sets a formula into an element; without the library its source stays readable.
 * @param {HTMLElement} element @param {string} tex @param {boolean} [display] on a line of its own
 */
export async function renderMath(element, tex, display = true) {
  element.dataset.tex = tex;
  try {
    const katex = await load();
    // a newer formula may have been asked for meanwhile
    if (element.dataset.tex === tex) katex.render(tex, element, { throwOnError: false, displayMode: display, output: "htmlAndMathml" });
  } catch {
    element.textContent = tex;
  }
}
