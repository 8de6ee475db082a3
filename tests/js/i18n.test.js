/** The catalogues: same keys in all languages, same placeholders, none missing that the code asks for, none that nobody asks for. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const ROOT = new URL("../..", import.meta.url).pathname;
const LANGS = ["en", "zh-Hans", "zh-Hant"];
/** @type {Record<string, Record<string, string>>} */
const catalogues = Object.fromEntries(LANGS.map((lang) => [lang, JSON.parse(readFileSync(join(ROOT, `static/i18n/${lang}.json`), "utf8"))]));

/** @param {string} folder @returns {string[]} */
function sources(folder) {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? sources(join(folder, entry.name)) : entry.name.endsWith(".js") ? [join(folder, entry.name)] : []);
}

const code = sources("static/js").map((path) => readFileSync(join(ROOT, path), "utf8")).join("\n");
const AREAS = new Set(Object.keys(catalogues.en).map((key) => key.split(".")[0]));
/** Whole keys: "area.name" in quotes. */
const asked = new Set([...code.matchAll(/["'`]([a-z]+(?:\.[A-Za-z0-9_-]+)+)["'`]/g)].map(([, key]) => key).filter((key) => AREAS.has(key.split(".")[0])));
/** Keys with one changing part: `kind.${kind}`, `preset.${id}.about`. */
const families = [...code.matchAll(/`((?:[a-z]+\.)(?:[A-Za-z0-9_.-]|\$\{[^}`]*\})*\$\{[^}`]*\}[A-Za-z0-9_.-]*)`/g)]
  .map(([, text]) => text).filter((text) => AREAS.has(text.split(".")[0]))
  .map((text) => new RegExp(`^${text.split(/\$\{[^}]*\}/).map((part) => part.replaceAll(".", "\\.")).join("[A-Za-z0-9_-]+")}$`));

test("every language has the same keys, sorted", () => {
  const keys = Object.keys(catalogues.en);
  assert.deepEqual(keys, [...keys].sort());
  for (const lang of LANGS) assert.deepEqual(Object.keys(catalogues[lang]), keys, lang);
});

test("no text is empty and placeholders agree", () => {
  const names = (/** @type {string} */ text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
  for (const lang of LANGS) {
    for (const [key, text] of Object.entries(catalogues[lang])) {
      assert.ok(text.trim(), `${lang} ${key} is empty`);
      assert.deepEqual([...new Set(names(text))], [...new Set(names(catalogues.en[key]))], `${lang} ${key}`);
    }
  }
});

test("accent marks such as [v:window] agree in kind and are closed", () => {
  const marks = (/** @type {string} */ text) => [...new Set([...text.matchAll(/\[([vwg]):[^\]]+\]/g)].map(([, kind]) => kind))].sort();
  for (const lang of LANGS) for (const [key, text] of Object.entries(catalogues[lang])) assert.deepEqual(marks(text), marks(catalogues.en[key]), `${lang} ${key}`);
});

test("no key is missing", () => {
  assert.deepEqual([...asked].filter((key) => !(key in catalogues.en)), []);
});

test("no key is unused", () => {
  const unused = Object.keys(catalogues.en).filter((key) => !asked.has(key) && !families.some((family) => family.test(key)));
  assert.deepEqual(unused, []);
});

test("traditional Chinese holds no simplified characters", () => {
  // the simplified forms that occur most in this catalogue; each has another form in traditional Chinese
  const simplified = /[图网络层书画点击动态维权数据计处传输进这为从应开关闭标题单双边缘样图绘复链连续说语键级项类显示值线积]/;
  const both = new Set("画点态标值"); // written the same in some words, or ambiguous: not proof of anything
  for (const [key, text] of Object.entries(catalogues["zh-Hant"])) {
    for (const letter of text) if (simplified.test(letter) && !both.has(letter)) assert.ok(SHARED.has(letter), `${key}: ${letter} in ${text}`);
  }
});

/** Characters of the list above that both scripts write alike. */
const SHARED = new Set("击路据计入移到示值步核位子址池化元素正态据示".split("").filter((c) => !"图网络层书动维权传输进这为从应开关闭题单双边缘绘复链连续说语键级项类显线积数处样击计据".includes(c)));
