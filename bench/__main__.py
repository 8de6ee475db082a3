"""Measure everything: ``python -m bench [--full] [--only engine|torch|server|browser]``."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from pathlib import Path

from bench import browser, engine_rows, server, torch_rows
from bench.table import show


def main() -> int:
    """Print the table and write the JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Convoscope.")
    parser.add_argument("--full", action="store_true", help="play for five minutes where twenty seconds are usual")
    parser.add_argument("--only", choices=["engine", "torch", "server", "browser"])
    args = parser.parse_args()
    rows = []
    if args.only in (None, "engine"):
        rows += engine_rows.forward() + engine_rows.windows() + engine_rows.blocks()
    if args.only in (None, "torch"):
        rows += torch_rows.rows()
    if args.only in (None, "server", "browser"):
        with server.running() as host:
            rows += server.rows(host) if args.only != "browser" else []
            rows += browser.rows(host, args.full) if args.only != "server" else []
    print(show(rows))
    results = {"machine": platform.platform(), "python": sys.version.split()[0], "rows": [r.to_dict() for r in rows]}
    (Path(__file__).parent / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
