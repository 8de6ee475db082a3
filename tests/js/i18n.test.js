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

/** Characters of the simplified catalogue that traditional Chinese writes otherwise. */
const SIMPLIFIED = new Set("与丢两个为么义习于从们会传体余储关内写决准减几击则别务动匀区单占却参双发变叠号后吗围图圆场坏处复够学实宽对层带帧帮并应开弃张弯强归当征径态总恒悬执择损换摊数断无时显暂机权条来标样残没浅渐满点状独环现画盖盘码离种积笔类红纹线组经结绕绘给络绝绿编缘缩网胜脸节范蓝补见规触计让讲论设证识试语误说请读负贴趋车转辑输边过运还这进远连适选邻里铅链销锐错键镜闭间阵随页项须题颜额风验骤");

test("traditional Chinese holds no simplified characters", () => {
  const wrong = Object.entries(catalogues["zh-Hant"]).filter(([, text]) => [...text].some((letter) => SIMPLIFIED.has(letter)));
  assert.deepEqual(wrong, []);
});

test("traditional Chinese says row and column as Taiwan does: 列 lies, 行 stands", () => {
  assert.equal(catalogues["zh-Hans"]["timeline.unit.row"], "行");
  assert.equal(catalogues["zh-Hant"]["timeline.unit.row"], "列");
});
