"""The page, its files, its guard, and uploads over HTTP."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from app import samples
from app.security import allowed_host
from app.settings import Settings


def boot(client: TestClient) -> dict[str, Any]:
    found = re.search(r'id="boot">(.*?)</script>', client.get("/").text, re.S)
    assert found
    return json.loads(found[1])


def png(width: int = 30, height: int = 20) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.full((height, width, 3), 90, np.uint8)).save(out, "PNG")
    return out.getvalue()


def test_page_has_networks_pictures_and_a_strict_policy(client: TestClient) -> None:
    response = client.get("/")
    policy = response.headers["content-security-policy"]
    nonce = re.search(r"'nonce-([^']+)'", policy)
    assert nonce
    assert f'nonce="{nonce[1]}"' in response.text
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    assert client.get("/").headers["content-security-policy"] != policy  # a nonce is used once
    found = boot(client)
    assert [preset["id"] for preset in found["presets"]] == ["pencil", "lab", "lenet5", "tiny_vgg", "residual"]
    assert len(found["samples"]) >= 8
    assert all(len(kernel) == len(kernel[0]) == int(size) for sizes in found["kernels"].values()
               for size, kernel in sizes.items())  # fmt: skip


def test_only_pages_carry_a_page_policy(client: TestClient) -> None:
    script = client.get(f"{boot(client)['static']}/js/main.js")
    assert script.headers["x-content-type-options"] == "nosniff"
    assert script.headers["cross-origin-resource-policy"] == "same-origin"
    assert "content-security-policy" not in script.headers  # 420 bytes, a hundred times
    for page in ("/", f"{boot(client)['static']}/icon.svg"):  # an SVG can be opened as a page, too
        assert "default-src 'none'" in client.get(page).headers["content-security-policy"]


def test_no_inline_script_or_style(client: TestClient) -> None:
    text = client.get("/").text
    assert not re.search(r"<style|style=|\son[a-z]+=", text)
    for tag in re.findall(r"<script[^>]*>", text):
        assert "src=" in tag or "nonce=" in tag or 'type="application/json"' in tag


def test_static_files_are_cached_for_ever_under_their_hash(client: TestClient) -> None:
    prefix = boot(client)["static"]
    response = client.get(f"{prefix}/js/main.js", headers={"accept-encoding": "gzip"})
    assert response.status_code == 200
    assert "immutable" in response.headers["cache-control"]
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["content-type"].startswith("text/javascript")
    plain = client.get(f"{prefix}/js/main.js", headers={"accept-encoding": "identity"})
    assert plain.text == response.text
    small = client.get(f"{prefix}/js/main.js", headers={"accept-encoding": "gzip, deflate, br, zstd"})
    assert small.headers["content-encoding"] == "br"
    assert small.text == plain.text
    assert int(small.headers["content-length"]) < int(response.headers["content-length"])
    assert client.get("/static/000000000000/js/main.js").status_code == 404
    assert client.get(f"{prefix}/../app/main.py").status_code == 404
    assert client.get(f"{prefix}/%2e%2e/pyproject.toml").status_code == 404


def test_every_file_that_the_page_names_is_there(client: TestClient) -> None:
    urls = set(re.findall(r'"(/static/[^"]+\.\w+)"', client.get("/").text))
    assert len(urls) > 20
    assert [url for url in urls if client.get(url).status_code != 200] == []


@pytest.mark.parametrize(("accept", "lang"), [
    ("en-US,en;q=0.9", "en"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans"), ("zh-TW", "zh-Hant"),
    ("zh-Hant-HK", "zh-Hant"), ("de,fr", "en"), ("de,zh;q=0.5", "zh-Hans"), ("", "en"),
])  # fmt: skip
def test_language_follows_the_browser(client: TestClient, accept: str, lang: str) -> None:
    assert f'<html lang="{lang}"' in client.get("/", headers={"accept-language": accept}).text


def test_healthz(client: TestClient) -> None:
    assert client.get("/healthz").json()["status"] == "ok"


@pytest.mark.parametrize(("headers", "status"), [
    ({}, 200),
    ({"host": "localhost:8000"}, 200),
    ({"host": "[::1]:8000"}, 200),
    ({"host": "evil.example"}, 400),
    ({"host": "127.0.0.1.evil.example"}, 400),
    ({"host": "192.168.1.7:8000"}, 400),
    ({"host": "user@127.0.0.1:8000"}, 400),
    ({"host": "127.0.0.1:x"}, 400),
    ({"host": ""}, 400),
    ({"origin": "http://127.0.0.1:8000"}, 200),
    ({"origin": "http://127.0.0.1:9000"}, 403),
    ({"origin": "http://evil.example"}, 403),
    ({"origin": "null"}, 403),
])  # fmt: skip
def test_hosts_and_origins(client: TestClient, headers: dict[str, str], status: int) -> None:
    assert client.get("/healthz", headers=headers).status_code == status


def test_the_network_is_let_in_only_with_host() -> None:
    lan = Settings(host="0.0.0.0")
    assert allowed_host("192.168.1.7:8000", lan)
    assert not allowed_host("evil.example", lan)
    assert allowed_host("class.school", Settings(allowed_hosts=["class.school"]))
    assert not allowed_host("192.168.1.7:8000", Settings())


def test_frame_ancestors_are_configurable() -> None:
    from app.security import content_policy

    assert "frame-ancestors https://school.example" in content_policy(
        "n", Settings(frame_ancestors="https://school.example")
    )


def test_upload_describes_the_picture_and_serves_thumbnails_only(client: TestClient) -> None:
    found = client.post("/api/images", files={"file": ("a.png", png())}).json()
    assert (found["width"], found["height"], found["format"], found["notes"]) == (30, 20, "PNG", [])
    assert client.get(f"/api/images/{found['id']}").json() == found
    thumb = client.get(found["thumb"] + "?size=96")
    assert thumb.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(thumb.content)).size == (30, 20)
    assert client.get(found["thumb"] + "?size=5000").status_code == 422


@pytest.mark.parametrize("image_id", ["sha256:" + "0" * 64, "x", "..", "sha256:zz"])
def test_unknown_pictures_are_404(client: TestClient, image_id: str) -> None:
    assert client.get(f"/api/images/{image_id}/thumb").status_code == 404


@pytest.mark.parametrize(("body", "reason"), [(b"", "empty"), (b"<svg/>", "wrong_type"), (png()[:60], "damaged")])
def test_bad_uploads_are_422_and_say_what_works(client: TestClient, body: bytes, reason: str) -> None:
    response = client.post("/api/images", files={"file": ("a.png", body)})
    assert response.status_code == 422
    assert (response.json()["code"], response.json()["reason"]) == ("E_IMAGE", reason)
    assert "PNG" in response.json()["message"]


def test_an_upload_without_a_file_is_422(client: TestClient) -> None:
    assert client.post("/api/images", data={"file": "text"}).json()["reason"] == "no_file"
    assert client.post("/api/images", content=b"x").status_code == 422


def test_an_upload_over_8_mib_is_413_before_it_is_sent_whole(client: TestClient) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        yield head
        for _ in range(64):
            sent += 2**20
            yield bytes(2**20)

    headers = {"content-type": "multipart/form-data; boundary=b"}
    response = client.post("/api/images", content=body(), headers=headers)
    assert response.status_code == 413
    assert response.json()["bound"] == 8 * 2**20
    declared = client.post("/api/images", content=b"x", headers=headers | {"content-length": str(9 * 2**20)})
    assert declared.status_code == 413


def test_samples_are_many_different_and_the_same_every_time() -> None:
    drawn = {name: draw() for name, draw in samples.SAMPLES.items()}
    assert len(drawn) >= 8
    assert len({pixels.tobytes() for pixels in drawn.values()}) == len(drawn)
    assert all(pixels.shape == (256, 256, 3) and pixels.std() > 10 for pixels in drawn.values())
    assert np.array_equal(samples.scene(), drawn["scene"])
