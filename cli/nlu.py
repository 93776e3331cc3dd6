"""``zhike nlu``: what the brain makes of messages, without a running server."""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.processes import BOT_PYTHON, MODEL, QUIET_BRAIN, ROOT
from cli.scores import Scores, read_tsv, score
from core.settings import load

app = typer.Typer(help="Understanding: parse messages, measure.", no_args_is_help=True)


def parsed(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """One result a line, in order, from the brain's own environment. Raises RuntimeError with one line."""
    import os

    load()
    if not MODEL.exists() or not BOT_PYTHON.exists():
        raise RuntimeError("no trained model here; run: make setup")
    process = subprocess.Popen(
        [str(BOT_PYTHON), "-m", "bot.nlu.parse", str(MODEL)],
        cwd=ROOT,
        env={**os.environ, **QUIET_BRAIN},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    body = "".join(json.dumps(line) + "\n" for line in lines)
    out, err = process.communicate(body)
    if process.returncode:
        raise RuntimeError("the model could not be loaded: " + (err.strip().splitlines() or ["unknown"])[-1])
    for line in out.splitlines():
        yield json.loads(line)


@app.command()
def parse(
    file: Annotated[Path | None, typer.Argument(help="one utterance a line; default: standard input")] = None,
) -> None:
    """One utterance a line → one JSON line each, in order."""
    raw = file.read_bytes() if file else sys.stdin.buffer.read()
    lines = raw.decode("utf-8", errors="replace").removeprefix("\ufeff").split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    for result in parsed(line.removesuffix("\r") for line in lines):
        print(json.dumps(result, ensure_ascii=False))


@app.command("eval")
def evaluate(
    file: Path,
    as_json: Annotated[bool, typer.Option("--json", help="machine-readable")] = False,
) -> None:
    """Measures on ``text, intent[, also_right]``: accuracy, macro-F1, confusions, calibration."""
    rows = read_tsv(file)
    scores: Scores = score(rows, list(parsed(row.text for row in rows)))
    print(json.dumps(scores.as_dict(), ensure_ascii=False) if as_json else scores.table())
