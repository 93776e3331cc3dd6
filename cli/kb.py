"""``zhike kb``: the knowledge base from the command line. Status 0 done, 1 failed, 2 called wrongly."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from sqlalchemy.exc import SQLAlchemyError

from core import db
from core.errors import NotFound, ZhikeError

app = typer.Typer(help="Knowledge base: import, export, search.", no_args_is_help=True)

WRONG_CALLS = {"unknown_format", "no_file"}


@contextmanager
def _told_in_one_line() -> Iterator[None]:
    """Errors as one line on standard error and an exit status."""
    try:
        yield
    except ZhikeError as error:
        _fail(error.detail, 2 if error.code in WRONG_CALLS else 1)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        _fail(f"数据库用不了（{reason}）；新机器请先运行 zhike db upgrade", 1)
    except BrokenPipeError:  # the reader (head) has seen enough; Python would complain again while closing
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        _fail(f"{error.filename or ''} 读写失败：{error.strerror}", 1)


def _fail(message: str, status: int) -> None:
    print(" ".join(message.split()), file=sys.stderr)
    raise typer.Exit(status)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A .csv, .tsv or .jsonl file, or a folder of Markdown.")],
    draft: Annotated[bool, typer.Option("--draft", help="Do not publish.")] = False,
) -> None:
    """Take in articles, and publish them; a file with a wrong line changes nothing."""
    from knowledge_base import usecases  # the language tools take a second to load; --help must not wait

    with _told_in_one_line(), db.writing() as session:
        counts = usecases.import_file(session, file, draft)
        print(json.dumps({name: n for name, n in asdict(counts).items() if name != "kept"}))


@app.command("export")
def export(file: Annotated[Path, typer.Argument(help="Where to write; .csv, .tsv or .jsonl says how.")]) -> None:
    """Write all articles to a file that can be imported again."""
    from knowledge_base import usecases

    with _told_in_one_line(), db.reading() as session:
        print(json.dumps({"exported": usecases.export_file(session, file)}))


@app.command("search")
def search(
    file: Annotated[Path | None, typer.Argument(help="One query a line; standard input if left out.")] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="How many hits a query.")] = 5,
) -> None:
    """Answer each line with one JSON line: the hits and what the bot would do with them."""
    from knowledge_base import usecases

    with _told_in_one_line(), _opened(file) as lines, db.reading() as session:
        for line in lines:
            query = line.decode("utf-8-sig", "replace").rstrip("\r\n")
            result = usecases.search(session, query, top)
            hits = [{"id": hit.id, "question": hit.question, "score": hit.score} for hit in result.hits]
            answer = {"query": query, "hits": hits, "decision": result.decision}
            # bytes, since the machine's locale may be unable to write Chinese; flushed, for programs that wait for it
            sys.stdout.buffer.write(json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
            sys.stdout.buffer.flush()


@contextmanager
def _opened(file: Path | None) -> Iterator[BinaryIO]:
    if file is None or str(file) == "-":
        yield sys.stdin.buffer
        return
    if not file.is_file():
        raise NotFound(f"找不到文件 {file}", code="no_file")
    with file.open("rb") as lines:
        yield lines
