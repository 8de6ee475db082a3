/** @type {HTMLDivElement | null} */
let element = null;

/**
 * The full value beside the pointer; one element for the whole page, written without a render.
 * @param {{x: number, y: number}} at viewport position
 * @param {string} text
 */
export function showTip(at, text) {
  if (!element) {
    element = document.createElement("div");
    element.className = "tip";
    element.setAttribute("aria-hidden", "true");
    document.body.append(element);
  }
  if (element.textContent !== text) element.textContent = text;
  const left = at.x + 300 > window.innerWidth;
  const shift = left ? "translateX(-100%)" : "";
  element.style.transform = `translate(${Math.round(at.x + (left ? -12 : 14))}px, ${Math.round(at.y + 16)}px) ${shift}`;
  element.classList.add("on");
}

/** Takes the tip away. */
export function hideTip() {
  element?.classList.remove("on");
}
