"""``zhike nlu``: what the brain makes of messages, without a running server; and how it learns."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.reading import parsed
from cli.scores import Scores, read_tsv, score

app = typer.Typer(help="Understanding: parse messages, measure, train, take back.", no_args_is_help=True)


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


@app.command()
def export(file: Annotated[Path, typer.Argument(help="where to write, in Rasa's YAML")]) -> None:
    """Writes the phrases editors assigned, and those learned before: what the next training would learn."""
    from core import db
    from helpdesk.learning import rules, trainings

    with db.reading() as session:
        phrases = trainings.phrases(session)
    file.write_text(rules.training_file((intent, text) for _, intent, text in phrases), encoding="utf-8")
    print(json.dumps({"exported": len(phrases)}))


@app.command()
def train(
    job: Annotated[int | None, typer.Option("--job", help="a training asked for on the page (by the worker)")] = None,
) -> None:
    """Trains a new model with what editors assigned, measures it against the running one, and takes the better one."""
    from cli import training

    print(training.run(job))


@app.command()
def rollback() -> None:
    """Puts the model before the last accepted one back, and tells the brain."""
    from core import clock
    from helpdesk.learning import rollback as undo

    print(undo.roll_back(None, clock.now()).told)
