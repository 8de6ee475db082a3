"""What it looks like: sizes, languages, themes; nothing overflows or is cut off, all text can be read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.live import MAPS_PAINTED, STAGE_SHOWN, Screen

SIZES = {"wide": (1440, 900), "medium": (1024, 768), "narrow": (390, 844)}

#: texts that run out of the page or are cut off at the side; what scrolls may be longer than its box
CLIPPED = """() => {
    const found = [];
    const shown = { checkOpacity: true, checkVisibilityCSS: true };
    const cut = (box, el) => {
        for (let up = el; up && up !== document.documentElement; up = up.parentElement) {
            const x = getComputedStyle(up).overflowX;
            if (/auto|scroll/.test(x)) return null;
            if (up !== document.body && !/hidden|clip/.test(x)) continue;
            const whole = { left: 0, right: innerWidth, top: -1e6, bottom: 1e6, width: innerWidth };
            const edge = up === document.body ? whole : up.getBoundingClientRect();
            if (edge.width <= 2) return null; // for screen readers
            if (box.top >= edge.bottom - 2 || box.bottom <= edge.top + 2) return null; // wrapped away as a whole
            if (box.right > edge.right + 1.5 || box.left < edge.left - 1.5) return [up, edge];
        }
        return null;
    };
    for (const el of document.querySelectorAll('#app *')) {
        if (el.closest('.vh, .katex, .skip, svg, select, [aria-hidden=true]') || !el.checkVisibility(shown)) continue;
        for (const node of el.childNodes) {
            if (node.nodeType !== 3 || !node.data.trim()) continue;
            const range = document.createRange();
            range.selectNodeContents(node);
            for (const box of range.getClientRects()) {
                const [by, edge] = cut(box, el) ?? [];
                const sides = ({ left, right }) => `(${Math.round(left)} to ${Math.round(right)})`;
                if (by) found.push(`${node.data} ${sides(box)}, cut by ${by.className || by.tagName} ${sides(edge)}`);
            }
        }
    }
    return [...new Set(found)];
}"""

#: texts whose contrast with what is painted behind them is below 4.5, or 3 for large ones
FAINT = """() => {
    const parse = (text) => {
        const [r, g, b, a = 1] = (text.match(/[\\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
        return text.startsWith('color(srgb') ? [r * 255, g * 255, b * 255, a] : [r, g, b, a];
    };
    const over = ([r, g, b, a], under) => [r, g, b].map((v, i) => v * a + under[i] * (1 - a));
    const light = (rgb) => {
        const [r, g, b] = rgb.map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ratio = (el) => {
        let [behind, opacity] = [[255, 255, 255], 1];
        const chain = [];
        for (let up = el; up; up = up.parentElement) chain.unshift(getComputedStyle(up));
        if (chain.some(({ backgroundImage }) => backgroundImage !== 'none')) return Infinity;
        for (const style of chain) {
            behind = over(parse(style.backgroundColor), behind);
            opacity *= Number(style.opacity);
        }
        const [r, g, b, a] = parse(getComputedStyle(el).color);
        const [x, y] = [light(over([r, g, b, a * opacity], behind)), light(behind)];
        return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
    };
    const found = [];
    for (const el of document.querySelectorAll('#app *')) {
        const own = [...el.childNodes].filter((node) => node.nodeType === 3 && node.data.trim());
        if (!own.length || !el.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })) continue;
        if (el.closest('.vh, .skip, svg, [aria-disabled=true], :disabled, .dim, .later')) continue;
        const { fontSize, fontWeight } = getComputedStyle(el);
        const large = parseFloat(fontSize) >= 24 || (parseFloat(fontSize) >= 18.66 && Number(fontWeight) >= 700);
        const is = ratio(el);
        if (is < (large ? 3 : 4.5)) found.push(`${is.toFixed(2)} ${own[0].data} (${el.className || el.tagName})`);
    }
    return [...new Set(found)];
}"""
SETTLED = "document.fonts.ready.then(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))))"


def check(screen: Screen, script: str) -> None:
    """Nothing is found, once the page has come to rest."""
    screen.page.evaluate(SETTLED)
    problems = screen.page.evaluate(script)
    assert not problems, "\n".join(problems)


def no_overflow(screen: Screen) -> None:
    """The page is not wider than the window."""
    width, inner = screen.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= inner


def sized(name: str) -> dict[str, object]:
    """Options of a page of this size; a phone has a finger."""
    width, height = SIZES[name]
    return {"viewport": {"width": width, "height": height}, "has_touch": name == "narrow"}


@pytest.mark.parametrize("lang", ["en-GB", "zh-CN", "zh-TW"])
@pytest.mark.parametrize("size", SIZES)
def test_nothing_overflows_or_is_cut_off(new_screen: Callable[..., Screen], size: str, lang: str) -> None:
    screen = new_screen(locale=lang, **sized(size))
    screen.open()
    expect(screen.at("stage")).to_be_visible()
    for preset in ("tiny_vgg", "lab", "pencil"):
        screen.preset(preset)
        expect(screen.at("stage").get_by_role("heading").first).to_be_visible()
        if size == "medium":
            screen.at("drawer").click()
        for tab in ("receipt", "code", "explain"):
            screen.at(f"tab-{tab}").click()
            check(screen, CLIPPED)
        no_overflow(screen)
        if size == "medium":
            screen.page.keyboard.press("Escape")


@pytest.mark.parametrize("size", SIZES)
def test_every_view_fits(new_screen: Callable[..., Screen], size: str) -> None:
    screen = new_screen(**sized(size))
    screen.open()
    for preset, nodes in (
        ("lenet5", ("relu1", "pool1", "conv2", "flat", "fc1", "softmax")),
        ("residual", ("add", "pool")),
        ("pencil", ("act1", "pool1", "fc")),
    ):
        screen.preset(preset)
        for node in ("input", *nodes):
            with screen.marks(STAGE_SHOWN):
                screen.at(f"map-{node}-0").click()
            check(screen, CLIPPED)
            no_overflow(screen)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_text_can_be_read(new_screen: Callable[..., Screen], theme: str) -> None:
    screen = new_screen(color_scheme=theme)
    screen.open()
    assert screen.page.evaluate("document.documentElement.dataset.theme") == theme
    for preset in ("pencil", "tiny_vgg"):
        screen.preset(preset)
        for tab in ("explain", "receipt", "code"):
            screen.at(f"tab-{tab}").click()
            check(screen, FAINT)
    screen.at("init-open").click()
    expect(screen.at("init-card").locator(".katex").first).to_be_visible()
    check(screen, FAINT)


def test_the_language_changes_in_place(screen: Screen) -> None:
    step = screen.state("s.cursor.value")
    for code, word in (("zh-Hans", "网络"), ("zh-Hant", "網路"), ("en", "Network")):
        screen.at("lang").click()
        screen.at(f"lang-{code}").click()
        expect(screen.at("network-picker")).to_contain_text(word)
        expect(screen.page.locator("html")).to_have_attribute("lang", code)
        screen.expect_step(step)


def test_the_theme_follows_the_system_until_it_is_chosen(new_screen: Callable[..., Screen]) -> None:
    screen = new_screen(color_scheme="dark")
    screen.open()
    page = screen.page.locator("html")
    expect(page).to_have_attribute("data-theme", "dark")
    screen.page.emulate_media(color_scheme="light")
    expect(page).to_have_attribute("data-theme", "light")
    screen.at("theme").click()
    expect(page).to_have_attribute("data-theme", "dark")
    screen.open()
    expect(page).to_have_attribute("data-theme", "dark")


def test_reduced_motion_still_steps(new_screen: Callable[..., Screen]) -> None:
    screen = new_screen(reduced_motion="reduce")
    screen.open()
    screen.go(40)
    screen.page.keyboard.press("ArrowRight")
    screen.expect_step(41)


def test_a_phone_can_do_the_essential(new_screen: Callable[..., Screen]) -> None:
    screen = new_screen(**sized("narrow"))
    screen.open()
    with screen.marks(MAPS_PAINTED):
        screen.at("sample-flower").click()
    with screen.marks(STAGE_SHOWN):
        screen.at("map-pool1-2").click()
    before = screen.state("s.cursor.value")
    screen.at("step-forward").click()
    screen.expect_step(before + 1)
    screen.at("tab-receipt").click()
    expect(screen.at("receipt-result")).to_be_visible()
