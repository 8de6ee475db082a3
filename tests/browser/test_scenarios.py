"""Changing the computation: kernels, inputs, the lab, initialisation; and the address that remembers it."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from engine import Trace
from tests.browser.live import MAPS_PAINTED, STAGE_SHOWN, Screen, number

Compute = Callable[[object], Trace]


def edit_first_cell(page: Page, label: str, value: str) -> None:
    """Double-click the first cell of the grid with this label, type, Enter."""
    grid = page.locator(f"canvas[role=application][aria-label*='{label}']").first
    grid.dblclick(position={"x": 14, "y": 14})
    field = page.locator(".cell-edit")
    field.fill(value)
    field.press("Enter")


def settled_address(screen: Screen, part: str) -> str:
    """The address once it holds this."""
    screen.page.wait_for_function("(part) => location.hash.includes(part)", arg=part)
    return screen.page.evaluate("location.hash")


def test_a_kernel_cell_is_edited_in_place_and_everything_follows(screen: Screen, trace_of: Compute) -> None:
    screen.preset("pencil")
    screen.go(0)
    with screen.marks(MAPS_PAINTED):
        edit_first_cell(screen.page, "kernel", "5")
    # 5 instead of 1 under the input's 1: −3 + 4
    screen.expect_result(1)
    edits = screen.state("s.scenario.value.params.edits")
    assert edits == [{"tensor": "conv1.weight", "cell": [0, 0, 0, 0], "value": 5}]
    trace = trace_of(screen.state("s.scenario.value"))
    screen.go(len(trace) - 1)
    screen.expect_result(trace[len(trace) - 1].result)


def test_an_edit_survives_reload_through_the_address(screen: Screen, new_screen: Callable[..., Screen]) -> None:
    screen.preset("pencil")
    screen.go(0)
    with screen.marks(MAPS_PAINTED):
        edit_first_cell(screen.page, "kernel", "5")
    address = settled_address(screen, "doc=")
    other = new_screen()
    other.open(address)
    other.expect_step(0)
    other.expect_result(1)


def test_edits_are_taken_back_and_the_seed_is_another_thing(screen: Screen) -> None:
    screen.preset("pencil")
    screen.go(0)
    with screen.marks(MAPS_PAINTED):
        edit_first_cell(screen.page, "kernel", "5")
    screen.at("init-open").click()
    with screen.marks(MAPS_PAINTED):
        screen.at("reset-edits").click()
    assert screen.state("s.scenario.value.params.edits") == []
    expect(screen.at("reset-edits")).to_be_disabled()
    screen.expect_result(-3)


def test_the_initialise_card_accounts_for_the_weights(screen: Screen, trace_of: Compute) -> None:
    screen.at("init-open").click()
    card = screen.at("init-card")
    expect(card).to_contain_text("conv1_1.weight")
    expect(card).to_contain_text("27")  # fan-in: 3 channels × 3 × 3
    expect(card.locator(".katex").first).to_be_visible()
    with screen.marks(MAPS_PAINTED):
        screen.at("init-scheme").select_option("xavier_uniform")
    expect(card).to_contain_text("Xavier, uniform")
    with screen.marks(MAPS_PAINTED):
        screen.at("init-seed").fill("12")
        screen.at("init-seed").press("Enter")
    params = screen.state("s.scenario.value.params")
    assert (params["scheme"], params["seed"]) == ("xavier_uniform", 12)
    with screen.marks(MAPS_PAINTED):
        screen.at("init-scheme").select_option("zeros")
    expect(card).to_contain_text("All of them are 0")
    screen.go(0)
    screen.expect_result(0)


def test_reseeding_draws_other_numbers(screen: Screen) -> None:
    before = screen.state("s.scenario.value.params.seed")
    screen.at("init-open").click()
    with screen.marks(MAPS_PAINTED):
        screen.at("reseed").click()
    assert screen.state("s.scenario.value.params.seed") != before


def test_pencils_activation_is_switchable(screen: Screen, trace_of: Compute) -> None:
    screen.preset("pencil")
    screen.go(10)
    for kind in ("leaky_relu", "sigmoid", "tanh", "gelu", "elu", "relu"):
        with screen.marks(MAPS_PAINTED):
            screen.at("kind-act1").select_option(kind)
        screen.expect_step(10)
        screen.expect_result(trace_of(screen.state("s.scenario.value"))[10].result)


def test_the_lab_sets_everything_about_the_convolution(screen: Screen, trace_of: Compute) -> None:
    screen.preset("lab")
    for name, value, size in (
        ("kernel_size", "5", 28),
        ("stride", "2", 14),
        ("padding", "2", 16),
        ("dilation", "2", 14),
        ("out_channels", "3", 14),
    ):
        with screen.marks(MAPS_PAINTED):
            screen.at(f"lab-{name}").fill(value)
        expect(screen.at("lab-size")).to_contain_text(f"= {size}")
    for mode in ("reflect", "replicate", "circular"):
        with screen.marks(MAPS_PAINTED):
            screen.at("lab-padding_mode").select_option(mode)
    for kernel in ("gaussian", "box", "identity", "random"):
        with screen.marks(MAPS_PAINTED):
            screen.at("lab-kernel").select_option(kernel)
    with screen.marks(MAPS_PAINTED):
        screen.at("lab-in_channels").select_option("3")
    trace = trace_of(screen.state("s.scenario.value"))
    assert trace.tensors["conv1.out"].shape == (1, 3, 14, 14)
    last = len(trace) - 1
    screen.go(last)
    screen.expect_result(trace[last].result)


def test_kernel_presets_are_what_they_say(screen: Screen) -> None:
    screen.preset("lab")
    for kernel in ("identity", "box", "gaussian", "sharpen", "sobel_x", "sobel_y", "laplacian", "emboss"):
        with screen.marks(MAPS_PAINTED):
            screen.at("lab-kernel").select_option(kernel)
        expect(screen.at("lab-kernel")).to_have_value(kernel)
        weights = screen.state("s.scenario.value.params.values['conv1.weight']")
        assert weights == [[screen.boot()["kernels"][kernel]["3"]]]


def test_impossible_settings_are_unreachable_in_the_lab(screen: Screen) -> None:
    """With every slider at its far end the engine still agrees."""
    screen.preset("lab")
    for name in ("kernel_size", "dilation", "stride", "padding"):
        slider = screen.at(f"lab-{name}")
        with screen.marks(MAPS_PAINTED):
            slider.fill(slider.get_attribute("max") or "")
    expect(screen.at("notice")).to_have_count(0)
    assert screen.state("s.opened.value.nodes[0].shape.at(-1)") >= 1


def test_an_impossible_scenario_is_explained_and_the_last_good_one_stays(screen: Screen) -> None:
    screen.preset("lab")
    before = screen.state("s.opened.value.trace")
    screen.page.evaluate(
        """async () => {
            const base = JSON.parse(document.getElementById('boot').textContent).static;
            const { setNode } = await import(base + '/js/actions.js');
            await setNode('conv1', { kernel_size: 77 });
        }"""
    )
    notice = screen.at("notice")
    expect(notice).to_contain_text("Kernel size 77")
    expect(notice).to_contain_text("Use a smaller kernel or more padding")
    assert screen.state("s.opened.value.trace") == before
    expect(screen.at("lab-kernel_size")).to_have_attribute("aria-invalid", "true")
    screen.go(3)
    with screen.marks(MAPS_PAINTED):
        screen.at("lab-stride").fill("2")
    expect(notice).to_have_count(0)
    expect(screen.at("lab-kernel_size")).to_have_attribute("aria-invalid", "false")


def test_the_address_is_a_permalink_to_this_moment(screen: Screen, new_screen: Callable[..., Screen]) -> None:
    screen.preset("lenet5")
    with screen.marks(MAPS_PAINTED):
        screen.at("sample-smiley").click()
    screen.at("map-pool1-2").click()
    block = next(b for b in screen.state("s.opened.value.blocks") if b["writes"] == "pool1.out")
    step = block["start"] + 2 * 14 * 14 + 40
    screen.go(step)
    address = settled_address(screen, f"step={step}")
    other = new_screen()
    other.open(address)
    other.expect_step(step)
    assert other.state("s.opened.value.trace") == screen.state("s.opened.value.trace")
    assert other.state("s.focus.value") == {"node": "pool1", "channel": 2, "phase": "forward"}
    expect(other.at("sample-smiley")).to_have_attribute("aria-pressed", "true")


def test_back_and_forward(screen: Screen) -> None:
    settled_address(screen, "net=tiny_vgg")
    with screen.marks(STAGE_SHOWN):
        screen.at("map-pool1-0").click()
    settled_address(screen, "map=pool1.0")
    screen.preset("pencil")
    settled_address(screen, "net=pencil")
    with screen.marks(MAPS_PAINTED):
        screen.page.go_back()
    expect(screen.at("network-picker")).to_contain_text("Tiny VGG")
    expect(screen.at("stage")).to_contain_text("pool1")
    screen.page.go_back()
    expect(screen.at("stage")).to_contain_text("conv1_1")
    screen.page.go_forward()
    expect(screen.at("stage")).to_contain_text("pool1")
    with screen.marks(MAPS_PAINTED):
        screen.page.go_forward()
    expect(screen.at("network-picker")).to_contain_text("Pencil")


def test_a_link_to_a_picture_that_is_gone_says_so_and_offers_the_samples(new_screen: Callable[..., Screen]) -> None:
    other = new_screen()
    other.expected.append(r"404")
    other.open("#net=tiny_vgg&image=sha256:" + "0" * 64 + "&step=7")
    expect(other.at("notice")).to_contain_text("no longer")
    expect(other.at("sample-scene")).to_have_attribute("aria-pressed", "true")
    other.expect_step(7)


def test_a_broken_link_still_opens_the_page(new_screen: Callable[..., Screen]) -> None:
    other = new_screen()
    other.open("#net=pencil&doc=!!!&step=99999999&map=nothing.7")
    expect(other.at("network-picker")).to_contain_text("Pencil")
    assert number(other.at("step-number").input_value()) <= number(other.at("step-total").inner_text())
