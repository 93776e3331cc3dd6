"""Articles in files: CSV, TSV, JSON lines, a folder of Markdown. Reading gives rows, or says which line is wrong.

Nothing here knows the database, so a file is read to its end before anything is changed.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from core.errors import Invalid, NotFound
from knowledge_base.encoding import decode
from knowledge_base.rows import Row, from_fields, join_list

# Excel writes the editors' own headings; programs write ours.
HEADINGS = {"问题": "question", "标准问题": "question", "答案": "answer", "回答": "answer", "分类": "category"} | {
    "类别": "category", "标签": "tags", "编号": "id", "相似问题": "also", "相似问法": "also", "状态": "status"
}  # fmt: skip
# The category stands first, because the byte order mark that Excel needs sticks to the first heading in programs that
# do not expect one, and the category is what they miss least.
COLUMNS = ("category", "id", "question", "answer", "tags", "also", "status")
FIELD_LIMIT = 1_000_000  # characters; csv's own limit is in C and its message names no line
ESCAPES = {"\\n": "\n", "\\t": "\t", "\\r": "\r", "\\\\": "\\"}


def read(path: Path) -> list[Row]:
    """The articles of a file or folder, in its order.

    Raises :class:`NotFound` where there is none, :class:`Invalid` (naming the line) where the content is wrong.
    """
    if not path.exists():
        raise NotFound(f"找不到文件 {path}", code="no_file")
    if path.is_dir() or path.suffix.lower() == ".md":
        return read_markdown(path)
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise Invalid(f"不认识 {path.name}：请用 .csv、.tsv、.jsonl 文件或 Markdown 文件夹", code="unknown_format")
    rows = list(reader(path.read_bytes()))
    if not rows:
        raise Invalid(f"{path.name} 里没有条目", code="empty_file")
    return rows


def _read_csv(content: bytes) -> Iterator[Row]:
    # newline="" leaves line ends inside quotes as they are
    reader = csv.reader(io.StringIO(decode(content, also_gb18030=True), newline=""), strict=True)
    return _read_table(reader, unescape=False)


def _read_tsv(content: bytes) -> Iterator[Row]:
    text = io.StringIO(decode(content, also_gb18030=True), newline="")
    return _read_table(csv.reader(text, delimiter="\t", quoting=csv.QUOTE_NONE), unescape=True)


def _read_table(reader: Any, *, unescape: bool) -> Iterator[Row]:
    csv.field_size_limit(FIELD_LIMIT)
    columns: list[str] = []
    first_line = 1
    while True:
        try:
            record = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            raise Invalid(f"第 {max(reader.line_num, 1)} 行读不出来：{_told(error)}", code="broken_line") from None
        line, first_line = first_line, reader.line_num + 1
        if not any(cell.strip() for cell in record):
            continue
        if not columns:
            columns = _columns(record, line)
            continue
        extra = [cell for cell in record[len(columns) :] if cell.strip()]
        if extra:
            raise Invalid(f"第 {line} 行有 {len(record)} 列，表头只有 {len(columns)} 列", code="too_many_columns")
        fields: dict[str, Any] = dict(zip(columns, record, strict=False))
        if unescape:
            fields |= {name: _unescaped(fields[name]) for name in ("answer", "also") if name in fields}
        yield from_fields(fields, f"第 {line} 行")
    if not columns:
        raise Invalid("文件是空的，第一行应当是表头 question,answer", code="empty_file")


def _columns(record: list[str], line: int) -> list[str]:
    headings = [cell.strip().lower() for cell in record]
    columns = [HEADINGS.get(heading, heading) for heading in headings]
    for needed in ("question", "answer"):
        if columns.count(needed) != 1:
            raise Invalid(f"第 {line} 行（表头）应当正好有一个 {needed} 列", code="wrong_header")
    return columns


def _told(error: csv.Error) -> str:
    """csv's few messages, for an editor."""
    return (
        "引号没有配对"
        if "quote" in str(error) or "end of data" in str(error) or "expected" in str(error)
        else "格式不对"
    )


def _unescaped(text: str) -> str:
    r"""A TSV cell holds no line end and no tab, so ours write them as \n and \t. Other backslashes stay."""
    out, i = [], 0
    while i < len(text):
        pair = text[i : i + 2]
        out.append(ESCAPES.get(pair, text[i]))
        i += 2 if pair in ESCAPES else 1
    return "".join(out)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")


def _read_jsonl(content: bytes) -> Iterator[Row]:
    # not splitlines(): a JSON string may hold U+2028
    for number, line in enumerate(decode(content).split("\n"), 1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError):
            raise Invalid(f"第 {number} 行不是 JSON", code="broken_line") from None
        if not isinstance(fields, dict):
            raise Invalid(f"第 {number} 行应当是一个 JSON 对象", code="broken_line")
        yield from_fields(fields, f"第 {number} 行")


def read_markdown(path: Path) -> list[Row]:
    """All ``*.md`` under a folder, by name: YAML front matter (id, question, category, tags, also), body = answer."""
    files = sorted(path.rglob("*.md")) if path.is_dir() else [path]
    rows = [_read_article(file, str(file.relative_to(path)) if path.is_dir() else file.name) for file in files]
    if not rows:
        raise Invalid(f"文件夹 {path} 里没有 .md 文件", code="empty_file")
    return rows


def _read_article(file: Path, name: str) -> Row:
    lines = decode(file.read_bytes()).replace("\r\n", "\n").split("\n")
    try:
        end = lines.index("---", 1) if lines[0] == "---" else 0
        fields = yaml.safe_load("\n".join(lines[1:end])) if end else None
    except ValueError:
        fields = None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise Invalid(f"{name} 第 {mark.line + 2 if mark else 2} 行：文件头不是 YAML", code="broken_line") from None
    if not isinstance(fields, dict):
        raise Invalid(f"{name} 第 1 行：应当以 --- 之间的 YAML 文件头开始", code="broken_line")
    return from_fields({**fields, "answer": "\n".join(lines[end + 1 :])}, f"{name}")


def write(path: Path, rows: list[Row]) -> None:
    """Write articles as the suffix says, so that :func:`read` gives the same ones back.

    Only a question's tabs and line ends become spaces in TSV: there a question is never escaped, to stay verbatim.
    Raises :class:`Invalid` for another suffix or where the file cannot be written.
    """
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        raise Invalid(f"不认识 {path.name}：可以导出 .csv、.tsv、.jsonl", code="unknown_format")
    try:
        path.write_bytes(writer(rows).encode())
    except OSError as error:
        raise Invalid(f"写不了 {path}：{error.strerror}", code="cannot_write") from None


def _write_csv(rows: list[Row]) -> str:
    out = io.StringIO(newline="")
    table = csv.writer(out)
    table.writerow(COLUMNS)
    table.writerows([row.category, row.key, row.question, row.answer, *_lists(row)] for row in rows)
    return "\ufeff" + out.getvalue()


def _write_tsv(rows: list[Row]) -> str:
    lines = ["\t".join(COLUMNS)]
    for row in rows:
        tags, also, status = _lists(row)
        cells = (row.category, row.key, row.question, _escaped(row.answer), tags, _escaped(also), status)
        lines.append("\t".join(" ".join(cell.split("\t")).replace("\n", " ").replace("\r", " ") for cell in cells))
    return "\n".join(lines) + "\n"


def _lists(row: Row) -> tuple[str, str, str]:
    return join_list(row.tags), join_list(row.also), row.status


def _write_jsonl(rows: list[Row]) -> str:
    return "".join(json.dumps(row.as_fields(), ensure_ascii=False) + "\n" for row in rows)


READERS: dict[str, Callable[[bytes], Iterator[Row]]] = {
    ".csv": _read_csv, ".tsv": _read_tsv, ".txt": _read_tsv, ".jsonl": _read_jsonl, ".ndjson": _read_jsonl,
}  # fmt: skip
WRITERS: dict[str, Callable[[list[Row]], str]] = {".csv": _write_csv, ".tsv": _write_tsv, ".jsonl": _write_jsonl}
