"""The clients that the documentation shows talk to a real server."""

from __future__ import annotations

import subprocess
import sys

from tests.browser.live import Live, Screen
from tests.docs import example


def test_the_python_client(server: Live) -> None:
    source = example("docs/architecture.md", "python", "example: client").replace("127.0.0.1:8000", server.url[7:-1])
    done = subprocess.run([sys.executable, "-W", "error", "-c", source], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    promised = [line.split("# ", 1)[1] for line in source.splitlines() if line.startswith("print(")]
    assert done.stdout.splitlines() == promised


def test_the_javascript_client(screen: Screen) -> None:
    source = example("docs/architecture.md", "js", "example: client").replace(
        "127.0.0.1:8000", screen.server.url[7:-1]
    )
    source = source.replace("console.log(String(columns.result));", "return String(columns.result);")
    assert screen.page.evaluate(f"async () => {{ {source} }}") == "0.5,-0.5,0.5,0.5"
