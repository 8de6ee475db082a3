/** The header: which network, which picture, language, theme, a link to this moment, help. */
import { html } from "htm/preact";
import { useEffect } from "preact/hooks";
import { openPreset, setImage, setLang, setTheme } from "../actions.js";
import { boot, lang, preset, scenario, t, theme } from "../state.js";
import { Hint } from "./hint.js";
import { brandMark, icon } from "./icons.js";
import { Menu } from "./menu.js";
import { ownPictures, panel, uploading } from "./panel.js";
import { copyLink, pickFile } from "./pictures.js";

const LANGS = [
  { value: "en", label: "English", lang: "en", short: "EN" },
  { value: "zh-Hans", label: "简体中文", lang: "zh-Hans", short: "简" },
  { value: "zh-Hant", label: "繁體中文", lang: "zh-Hant", short: "繁" },
];

/** Own pictures kept in the strip. */
const MOST_OWN = 3;

export function Header() {
  const tr = t.value;
  const dark = theme.value === "dark";
  return html`<header class="topbar">
    <h1 class="brand">${brandMark()}<span class="word">Convoscope</span></h1>
    <${NetworkPicker} />
    <${Pictures} />
    <span class="sp"></span>
    <${Hint} place="header" />
    <button type="button" class="btn icon" aria-label=${tr("header.share")} title=${tr("header.share")} data-testid="share" onClick=${copyLink}>${icon("link")}</button>
    <${Menu} label=${tr("header.language")} testid="lang" look="btn" align="end" value=${lang.value} choices=${LANGS} onChoose=${setLang}>
      ${LANGS.find(({ value }) => value === lang.value)?.short ?? "EN"}${icon("chevron", 14)}<//>
    <button type="button" class="btn icon" data-testid="theme" aria-label=${tr(dark ? "header.theme.light" : "header.theme.dark")}
      title=${tr(dark ? "header.theme.light" : "header.theme.dark")} onClick=${() => setTheme(dark ? "light" : "dark")}>${icon(dark ? "sun" : "moon")}</button>
    <button type="button" class="btn icon" data-testid="help-open" aria-label=${tr("header.help")} title=${tr("header.help")}
      onClick=${() => (panel.value = "help")}>${icon("help")}</button>
  </header>`;
}

function NetworkPicker() {
  const tr = t.value;
  const now = preset.value;
  const choices = boot.presets.map(({ id }) => ({ value: id, label: tr(`preset.${id}`), about: tr(`preset.${id}.about`) }));
  return html`<${Menu} label=${tr("header.network")} testid="network-picker" align="wide" value=${now ?? ""} choices=${choices} onChoose=${openPreset}>
    <span>${tr("header.network")}</span><b>${now ? tr(`preset.${now}`) : tr("header.own")}</b>${icon("chevron", 14)}<//>`;
}

/** The samples, what was uploaded, upload and drawing pad. */
function Pictures() {
  const tr = t.value;
  const now = scenario.value?.input?.image ?? null;
  useEffect(() => {
    if (!now || boot.samples.some(({ id }) => id === now) || ownPictures.value.includes(now)) return;
    ownPictures.value = [now, ...ownPictures.value].slice(0, MOST_OWN);
  }, [now]);
  return html`<div class="imgs" role="group" aria-label=${tr("header.images")}>
    ${boot.samples.map(({ id, name }) => html`<${Picture} key=${id} id=${id} testid=${`sample-${name}`} label=${tr(`sample.${name}`)} on=${id === now} />`)}
    ${ownPictures.value.map((id) => html`<${Picture} key=${id} id=${id} testid="sample-own" label=${tr("header.image.own")} on=${id === now} />`)}
    <button type="button" class="tool" data-testid="image-upload" aria-label=${tr("header.upload")} title=${tr("header.upload")} onClick=${pickFile}>
      ${uploading.value ? html`<span class="busy"></span>` : icon("upload")}</button>
    <button type="button" class="tool" data-testid="draw-open" aria-label=${tr("header.draw")} title=${tr("header.draw")}
      onClick=${() => (panel.value = "draw")}>${icon("pencil")}</button>
  </div>`;
}

/** @param {{id: string, testid: string, label: string, on: boolean}} props */
function Picture({ id, testid, label, on }) {
  return html`<button type="button" class="pic" aria-pressed=${on} aria-label=${label} title=${label} data-testid=${testid} onClick=${() => setImage(id)}>
    <img src=${`/api/images/${id}/thumb?size=96`} alt="" width="30" height="30" decoding="async" /></button>`;
}
