"""Bring the pages up to date.

python -m docs             tables from the code, answers from a real server
python -m docs tables      tables and schemas only, which takes no time
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from docs.examples import REPLAYED, Replay
from docs.tables import PAGES, with_tables
from scheduler.jobsfiles import file_schema
from tests.server import Server

SCHEMA = Path(__file__).with_name("jobs.schema.json")


def main() -> None:
    """Rewrite what has changed, and say what that was."""
    for page in PAGES:
        before = page.read_text(encoding="utf-8")
        after = with_tables(before)
        if after != before:
            page.write_text(after, encoding="utf-8")
            print(f"tables of {page.name}")
    schema = json.dumps(file_schema(), indent=2) + "\n"
    if not SCHEMA.exists() or SCHEMA.read_text(encoding="utf-8") != schema:
        SCHEMA.write_text(schema, encoding="utf-8")
        print(SCHEMA.name)
    for page in REPLAYED if sys.argv[1:] != ["tables"] else []:
        with tempfile.TemporaryDirectory() as folder:
            replay = Replay(Server(Path(folder), **Replay.SETTINGS))
            try:
                replay.play(page)
            finally:
                replay.close()
        if replay.differences:
            page.write_text(replay.rewritten(), encoding="utf-8")
            print(f"{len(replay.differences)} answers of {page.name}")


if __name__ == "__main__":
    main()
