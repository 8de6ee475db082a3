import assert from "node:assert/strict";
import { test } from "node:test";
import { html, render } from "htm/preact";
import "../../../static/js/ui/vnodes.js";

/** A place to draw components into that make no elements. */
const place = () => /** @type {any} */ ({ nodeType: 1, namespaceURI: "http://www.w3.org/1999/xhtml", firstChild: null, childNodes: [] });

test("drawing writes nothing into a vnode that somebody keeps, so that it keeps no tree alive", () => {
  let drawn = 0;
  const Leaf = () => { drawn++; return null; };
  const Part = (/** @type {any} */ { children }) => children;
  const kept = /** @type {any} */ (html`<${Leaf} />`);
  const before = { ...kept };
  const root = place();
  for (const data of [new Float32Array(4), new Float32Array(4)]) render(html`<${Part} data=${data}>${kept}<//>`, root);
  assert.deepEqual({ ...kept }, before);
  assert.equal(drawn, 1, "the same vnode is not drawn again");
  render(/** @type {any} */ (null), root);
  assert.deepEqual({ ...kept }, before);
});
