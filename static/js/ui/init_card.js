/** How the weights came to be, before the first step: scheme, seed, fans, formula with its numbers, what was drawn. */
import { html } from "htm/preact";
import { useEffect, useState } from "preact/hooks";
import { loadInit, reseed, resetEdits, setScheme, setSeed } from "../actions.js";
import { groups, number } from "./numbers.js";
import { focus, opened, scenario, t } from "../state.js";
import { FloatingCard } from "./floating.js";
import { Histogram } from "./histogram.js";
import { icon } from "./icons.js";
import { Kernels } from "./kernels.js";
import { Formula } from "./formula.js";
import { Segmented } from "./segmented.js";

/** @typedef {import("../types.d.ts").InitParam} InitParam */

const SCHEMES = [
  "zeros", "ones", "constant", "normal", "uniform", "xavier_uniform", "xavier_normal", "he_uniform", "he_normal", "lecun_normal", "orthogonal",
];

export function InitCard() {
  const tr = t.value;
  const trace = opened.value;
  const nodes = trace?.nodes.filter(({ params }) => params.length) ?? [];
  const [chosen, choose] = useState(focus.peek()?.node ?? "");
  const name = (nodes.find((node) => node.name === chosen) ?? nodes[0])?.name;
  const params = useInit(trace, name);
  return html`<${FloatingCard} title=${tr("init.title")} testid="init-card" look="init">
    <p class="faint">${tr("init.lead")}</p>
    <${Settings} />
    ${nodes.length > 1 && html`<${Segmented} label=${tr("init.layer")} prefix="init-node" value=${name} onChoose=${choose}
      choices=${nodes.map((node) => ({ value: node.name, label: node.name }))} />`}
    ${!nodes.length && html`<p>${tr("init.none")}</p>`}
    <div class="params">${params.map((param) => html`<${Param} key=${param.tensor} param=${param} />`)}</div>
  <//>`;
}

/** The account of one node's parameters, asked for again whenever the trace or the node changes.
 * @param {object | null} trace @param {string | undefined} name @returns {InitParam[]} */
function useInit(trace, name) {
  const [params, setParams] = useState(/** @type {InitParam[]} */ ([]));
  useEffect(() => {
    if (!trace || !name) return;
    let wanted = true;
    loadInit(name).then((answer) => { if (wanted) setParams(answer); }, () => { /* the notice says why */ });
    return () => { wanted = false; };
  }, [trace, name]);
  return params;
}

/** Scheme, seed, reseed, reset. Reset takes back edits; reseed draws new numbers. Two buttons, because they are two things. */
function Settings() {
  const tr = t.value;
  const now = scenario.value?.params ?? {};
  const edits = now.edits?.length ?? 0;
  return html`<div class="init-bar">
    <label class="field">${tr("init.scheme")}<select data-testid="init-scheme" value=${typeof now.scheme === "object" ? now.scheme.kind : now.scheme ?? "he_normal"}
      onChange=${(/** @type {any} */ event) => setScheme(event.target.value)}>
      ${SCHEMES.map((scheme) => html`<option key=${scheme} value=${scheme}>${tr(`init.scheme.${scheme}`)}</option>`)}</select></label>
    <label class="field">${tr("init.seed")}<input type="number" min="0" max="4294967295" step="1" value=${now.seed ?? 0} data-testid="init-seed"
      onChange=${(/** @type {any} */ event) => event.target.validity.valid && setSeed(Number(event.target.value))} /></label>
    <button type="button" class="btn" data-testid="reseed" title=${tr("init.reseed.about")} onClick=${reseed}>${icon("dice", 16)}${tr("init.reseed")}</button>
    <button type="button" class="btn" data-testid="reset-edits" title=${tr("init.reset.about")} disabled=${!edits} onClick=${resetEdits}>${icon("undo", 16)}${tr("init.reset", { n: edits })}</button>
  </div>`;
}

/** @param {{param: InitParam}} props */
function Param({ param }) {
  const tr = t.value;
  /** @type {[string, string | null][]} */
  const facts = [
    ["init.fan_in", param.fan_in ? groups(param.fan_in) : null], ["init.fan_out", param.fan_out ? groups(param.fan_out) : null],
    ["init.mean", number(param.mean)], ["init.sd", number(param.sd)], ["init.edited", param.edited ? groups(param.edited) : null],
  ];
  const scheme = SCHEMES.includes(param.scheme) ? tr(`init.scheme.${param.scheme}`) : tr("init.scheme.stored");
  return html`<article class="param">
    <h3>${param.tensor} <small>${param.shape.join(" × ")} · ${scheme}</small></h3>
    <${Formula} tex=${param.formula} />
    <dl>${facts.map(([key, value]) => value !== null && html`<div key=${key}><dt>${tr(key)}</dt><dd>${value}</dd></div>`)}</dl>
    ${param.sd > 0
      ? html`<${Histogram} histogram=${param.histogram} label=${tr("init.histogram", { tensor: param.tensor })} />`
      : html`<p class="faint">${tr("init.constant", { value: number(param.mean) })}</p>`}
    ${param.shape.length === 4 && html`<${Kernels} tensor=${param.tensor} shape=${param.shape} />`}
  </article>`;
}
