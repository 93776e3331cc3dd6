"""The recorded talks (tape.py), for both environments."""

import gzip
import json
from pathlib import Path
from typing import Any

TALKS = Path(__file__).with_name("talks.jsonl.gz")


def talks(path: Path = TALKS) -> list[list[dict[str, Any]]]:
    """All talks: turns of ``{"text", "parse", "calls": [{"action", "status", "answer"}]}``."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
