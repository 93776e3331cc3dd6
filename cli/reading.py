"""Reads messages with a trained model in the brain's own environment, without a running server."""

import json
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cli.children import started
from cli.processes import BOT_PYTHON
from core.settings import load


def parsed(lines: Iterable[str], model: Path | None = None) -> Iterator[dict[str, Any]]:
    """One result a line, in order, by the model in force or another one. Raises RuntimeError with one line."""
    path = model or load().model
    if not path.exists() or not BOT_PYTHON.exists():
        raise RuntimeError("no trained model here; run: make setup")
    body = "".join(json.dumps(line) + "\n" for line in lines)
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    command = [str(BOT_PYTHON), "-m", "bot.nlu.parse", str(path)]
    with started(command, **pipes, text=True, encoding="utf-8") as process:
        out, err = process.communicate(body)
    if process.returncode:
        raise RuntimeError("the model could not be loaded: " + (err.strip().splitlines() or ["unknown"])[-1])
    for line in out.splitlines():
        yield json.loads(line)
