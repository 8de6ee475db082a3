"""The decoding process does not outlive its server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SERVER = """
from app.images import ImageStore
from app.settings import Settings

if __name__ == "__main__":
    store = ImageStore(Settings())
    print(store._executor().submit(len, b"1234").result(), flush=True)
    input()
"""


def test_a_killed_server_leaves_no_process_behind(tmp_path: Path) -> None:
    script = tmp_path / "server.py"
    script.write_text(SERVER)
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, script], stdin=pipe, stdout=pipe, text=True) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "4\n"
        server.kill()
        # the decoder has the same output: it ends only when both are gone
        assert server.communicate(timeout=30)[0] == ""
