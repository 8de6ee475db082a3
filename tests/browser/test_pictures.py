"""Pictures: samples, upload, drop, paste, drawing pad, how they are fitted, and what is said about bad ones."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.live import MAPS_PAINTED, Screen

HAND_OVER = """([steps, kind, data]) => {
    const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([bytes], 'photo.png', { type: 'image/png' }));
    const way = { bubbles: true, cancelable: true };
    const paste = () => new ClipboardEvent('paste', { ...way, clipboardData: dataTransfer });
    if (kind === 'paste') window.dispatchEvent(paste());
    for (const step of steps) document.body.dispatchEvent(new DragEvent(step, { ...way, dataTransfer }));
}"""


def photo(format: str = "PNG", size: tuple[int, int] = (90, 60), **options: Any) -> bytes:
    """A picture with a red left and a blue right half."""
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    pixels[:, : size[0] // 2, 0] = 255
    pixels[:, size[0] // 2 :, 2] = 255
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format, **options)
    return file.getvalue()


def upload(screen: Screen, name: str, data: bytes, mime: str = "image/png") -> None:
    """Press the button and choose a file."""
    with screen.page.expect_file_chooser() as chooser:
        screen.at("image-upload").click()
    chooser.value.set_files({"name": name, "mimeType": mime, "buffer": data})


def hand_over(screen: Screen, kind: str, data: bytes, steps: tuple[str, ...] = ()) -> None:
    """Paste a file, or drag it over the page through these events."""
    encoded = base64.b64encode(data).decode()
    screen.page.evaluate(HAND_OVER, [list(steps), kind, encoded])


def corner(screen: Screen) -> list[float]:
    """Red, green and blue of the first cell of the network's input."""
    return screen.state(
        "(() => { const v = s.mapData.value.get('input'); const n = v.shape[2] * v.shape[3];"
        " return [0, 1, 2].map((c) => v.data[c * n]); })()"
    )


def test_samples_flow_through_the_network(screen: Screen, trace_of: Callable[..., Any]) -> None:
    names = [sample["name"] for sample in screen.boot()["samples"]]
    assert len(names) >= 8
    for name in names[1:] + names[:1]:
        with screen.marks(MAPS_PAINTED):
            screen.at(f"sample-{name}").click()
        expect(screen.at(f"sample-{name}")).to_have_attribute("aria-pressed", "true")
        trace = trace_of(screen.state("s.scenario.value"))
        step = screen.state("s.cursor.value")
        screen.expect_result(trace[step].result)


@pytest.mark.parametrize(("format", "options"), [("PNG", {}), ("JPEG", {"quality": 95}), ("WEBP", {"lossless": True}),
                                                 ("GIF", {}), ("BMP", {})])  # fmt: skip
def test_an_uploaded_picture_becomes_the_input(screen: Screen, format: str, options: dict[str, Any]) -> None:
    with screen.marks(MAPS_PAINTED):
        upload(screen, f"photo.{format.lower()}", photo(format, **options), f"image/{format.lower()}")
    expect(screen.at("sample-own")).to_have_attribute("aria-pressed", "true")
    assert corner(screen) == pytest.approx([1, 0, 0], abs=0.02)
    assert screen.state("[s.opened.value.input.width, s.opened.value.input.height]") == [90, 60]


def test_a_photo_is_turned_upright(screen: Screen) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down: the blue half comes first
    with screen.marks(MAPS_PAINTED):
        upload(screen, "photo.jpg", photo("JPEG", quality=95, exif=exif), "image/jpeg")
    assert corner(screen) == pytest.approx([0, 0, 1], abs=0.02)


def test_drop_and_paste(screen: Screen) -> None:
    with screen.marks(MAPS_PAINTED):
        hand_over(screen, "drop", photo(), ("dragenter", "dragover", "drop"))
    expect(screen.at("sample-own")).to_be_visible()
    expect(screen.at("drop-target")).to_have_count(0)
    with screen.marks(MAPS_PAINTED):
        hand_over(screen, "paste", photo(size=(40, 80)))
    assert screen.state("s.opened.value.input.width") == 40


def test_a_dragged_file_shows_where_it_may_be_let_go(screen: Screen) -> None:
    hand_over(screen, "drag", photo(), ("dragenter", "dragover"))
    expect(screen.at("drop-target")).to_be_visible()
    hand_over(screen, "drag", photo(), ("dragleave",))
    expect(screen.at("drop-target")).to_have_count(0)


def test_the_drawing_pad(screen: Screen) -> None:
    screen.preset("lenet5")
    screen.at("draw-open").click()
    expect(screen.at("draw-use")).to_be_disabled()
    box = screen.at("draw-canvas").bounding_box()
    assert box
    mouse = screen.page.mouse
    mouse.move(box["x"] + 60, box["y"] + 60)
    mouse.down()
    mouse.move(box["x"] + 200, box["y"] + 220, steps=8)
    mouse.up()
    with screen.marks(MAPS_PAINTED):
        screen.at("draw-use").click()
    expect(screen.at("draw-pad")).to_have_count(0)
    expect(screen.at("sample-own")).to_be_visible()
    darkest = screen.state("s.opened.value.tensors.find(({name}) => name === 'input').min")
    assert darkest < 0.3


def test_the_fit_is_the_first_stage(screen: Screen) -> None:
    with screen.marks(MAPS_PAINTED):
        upload(screen, "photo.png", photo())
    screen.at("fit-open").click()
    stage = screen.at("stage")
    expect(stage).to_contain_text("90 × 60")
    expect(stage).to_contain_text("60 × 60")  # the middle that "cover" uses
    expect(stage).to_contain_text("64 × 64")
    expect(stage).to_contain_text("[0, 1]")
    with screen.marks(MAPS_PAINTED):
        screen.at("fit-contain").click()
    expect(stage).to_contain_text("letterbox")
    assert screen.state("s.opened.value.input.placed") == [0, 10, 64, 53]


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("empty.png", b"", "empty"),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        ("notes.txt", b"these are no pixels at all", "PNG"),
        ("cut.png", photo(size=(300, 300))[:-200], "PNG"),
    ],
)
def test_what_is_no_picture_is_explained_and_the_screen_stays(
    screen: Screen, name: str, data: bytes, says: str
) -> None:
    screen.expected.append("422")
    before = screen.state("s.opened.value.trace")
    upload(screen, name, data)
    expect(screen.at("notice")).to_contain_text(says)
    assert screen.state("s.opened.value.trace") == before
    screen.at("notice").get_by_role("button").click()
    expect(screen.at("notice")).to_have_count(0)


def test_a_file_that_is_too_large_is_refused_at_once(screen: Screen) -> None:
    upload(screen, "large.png", b"\x89PNG\r\n\x1a\n" + bytes(9 * 1024 * 1024))
    expect(screen.at("notice")).to_contain_text("8")
    expect(screen.at("notice")).to_contain_text("9.0")


def test_an_animation_gives_its_first_frame_and_says_so(screen: Screen) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue", "lime")]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    with screen.marks(MAPS_PAINTED):
        upload(screen, "dance.gif", file.getvalue(), "image/gif")
    expect(screen.at("notice")).to_contain_text("3 frames")
    assert corner(screen) == pytest.approx([1, 0, 0], abs=0.02)
