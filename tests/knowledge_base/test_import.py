"""Articles come in from files and go out again; a wrong file changes nothing."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from cli import kb
from core import db
from core.errors import Conflict, Invalid, NotFound
from knowledge_base import files, usecases
from knowledge_base.models import Article
from knowledge_base.rows import Row

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), min_size=1, max_size=40).filter(
    lambda text: bool(text.strip())
)


def articles(session: Session) -> dict[str, Article]:
    return {article.key: article for article in session.scalars(select(Article))}


def saved(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_columns_are_read_by_header_in_any_order(session: Session, tmp_path: Path) -> None:
    path = saved(tmp_path, "a.csv", 'answer,id,tags,question\n"去门店,或官网",x1,"退款,到账",怎么退？\n')
    assert usecases.import_file(session, path) == usecases.Counts(added=1)
    article = articles(session)["x1"]
    assert (article.question, article.answer, article.tags) == ("怎么退？", "去门店,或官网", ["退款", "到账"])
    assert article.status == "published"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_excels_encodings_are_read(session: Session, tmp_path: Path, encoding: str) -> None:
    content = "问题,答案,编号\r\n发票怎么开？,点“开发票”。,f1\r\n".encode(encoding)
    usecases.import_file(session, saved(tmp_path, "a.csv", content))
    assert articles(session)["f1"].answer == "点“开发票”。"


def test_quotes_in_tsv_are_ordinary_characters(session: Session, tmp_path: Path) -> None:
    path = saved(tmp_path, "a.tsv", 'question\tanswer\n"真的"包邮？\t满 99 元"包邮\\n其余 8 元\n')
    usecases.import_file(session, path)
    (article,) = articles(session).values()
    assert (article.question, article.answer) == ('"真的"包邮？', '满 99 元"包邮\n其余 8 元')


def test_a_missing_id_is_made_from_the_question_and_stays_the_same(session: Session, tmp_path: Path) -> None:
    first = usecases.import_file(session, saved(tmp_path, "a.tsv", "question\tanswer\n包邮吗？\t包\n"))
    again = usecases.import_file(session, saved(tmp_path, "b.tsv", "question\tanswer\n包邮吗？\t不包\n"))
    third = usecases.import_file(session, saved(tmp_path, "b.tsv", "question\tanswer\n包邮吗？\t不包\n"))
    assert (first.added, again.updated, third.unchanged) == (1, 1, 1)
    assert [article.answer for article in articles(session).values()] == ["不包"]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", "question,reply\na,b\n", "第 1 行（表头）应当正好有一个 answer 列"),
        ("a.csv", "question,answer\n一,二\n三,\n", "第 3 行：答案（answer）是空的"),
        ("a.csv", 'question,answer\n一,"二\n二"\n,四\n', "第 4 行：问题（question）是空的"),
        ("a.csv", "question,answer\n一,二,三\n", "第 2 行有 3 列"),
        ("a.csv", 'question,answer\n一,"二\n', "引号没有配对"),
        ("a.csv", "", "文件是空的"),
        ("a.csv", "question,answer\n", "没有条目"),
        ("a.csv", "question,answer\n一,二\n好的，这是完整的一行,".encode() + b"\xff\n", "第 3 行有读不出来的字符"),
        ("a.tsv", "question\tanswer\tid\n一\t二\t" + "x" * 121 + "\n", "第 2 行：编号（id）超过 120 字"),
        ("a.jsonl", '{"question": "一", "answer": "二"}\n{"question": \n', "第 2 行不是 JSON"),
        ("a.jsonl", '{"question": "一", "answer": {"a": 1}}\n', "第 1 行：答案（answer）应当是文字"),
        ("a.jsonl", "[1]\n", "第 1 行应当是一个 JSON 对象"),
        ("a.jsonl", '{"question": "一", "answer": "\\u0000"}\n', "不能保存的字符"),
        ("a.md", "没有文件头\n", "a.md 第 1 行"),
        ("a.md", "---\nid: x\nquestion: [\n---\n答\n", "文件头不是 YAML"),
        ("a.xlsx", "x", "不认识 a.xlsx"),
    ],
)
def test_a_wrong_file_is_refused_naming_the_line_and_changes_nothing(
    session: Session, tmp_path: Path, name: str, content: str | bytes, told: str
) -> None:
    with pytest.raises(Invalid) as refused:
        usecases.import_file(session, saved(tmp_path, name, content))
    assert told in refused.value.detail
    assert session.scalar(select(func.count()).select_from(Article)) == 0


def test_a_missing_file_is_said_to_be_missing(session: Session, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        usecases.import_file(session, tmp_path / "none.csv")


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl"])
def test_an_export_imported_elsewhere_gives_the_same_articles(tmp_path: Path, engine: Engine, suffix: str) -> None:
    other = db.make_engine(f"sqlite:///{tmp_path / 'other.db'}")
    Article.metadata.create_all(other)
    with db.writing(engine) as session:
        usecases.load_shipped(session)
        articles(session)["refunds-when"].status = "draft"
        articles(session)["account-close"].also = ["有|竖线, 和逗号", "反斜杠\\n"]
        count = usecases.export_file(session, tmp_path / f"out{suffix}")
        before = {key: _all_of(article) for key, article in articles(session).items()}
    with db.writing(other) as session:
        assert usecases.import_file(session, tmp_path / f"out{suffix}").added == count == 246
        assert {key: _all_of(article) for key, article in articles(session).items()} == before
    other.dispose()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=4), st.sampled_from([".csv", ".tsv", ".jsonl"]))
def test_any_text_survives_a_round_trip(tmp_path: Path, texts: list[tuple[str, str, str]], suffix: str) -> None:
    tsv = suffix == ".tsv"
    rows = [
        Row(f"k{i}", " ".join(q.split()) if tsv else q.strip(), a.strip(), also=(" ".join(other.split()),))
        for i, (q, a, other) in enumerate(texts)
    ]
    path = tmp_path / f"rows{suffix}"
    files.write(path, rows)
    assert files.read(path) == rows


def test_the_shipped_articles_are_loaded_once(session: Session) -> None:
    assert usecases.load_shipped(session).added == 246
    assert usecases.load_shipped(session) == usecases.Counts(unchanged=246)


def test_an_edited_shipped_article_stays_and_an_untouched_one_follows_a_new_version(
    session: Session, tmp_path: Path
) -> None:
    for key in ("edited", "untouched"):
        saved(tmp_path, f"{key}.md", f"---\nid: {key}\nquestion: {key}？\n---\n旧答案\n")
    usecases.load_shipped(session, tmp_path)
    articles(session)["edited"].answer = "店里改过的答案"
    session.flush()
    for key in ("edited", "untouched"):
        saved(tmp_path, f"{key}.md", f"---\nid: {key}\nquestion: {key}？\n---\n新答案\n")
    assert usecases.load_shipped(session, tmp_path) == usecases.Counts(updated=1, kept=1)
    assert articles(session)["edited"].answer == "店里改过的答案"
    assert articles(session)["untouched"].answer == "新答案"


def test_a_draft_is_not_found_and_never_hides_a_published_article(session: Session, tmp_path: Path) -> None:
    draft = saved(tmp_path, "d.tsv", "question\tanswer\tid\n打印机怎么加墨\t问店员\tp1\n")
    usecases.import_file(session, draft, draft=True)
    assert usecases.search(session, "打印机怎么加墨").hits == []
    usecases.import_file(session, draft)
    assert usecases.search(session, "打印机怎么加墨").decision == "answer"
    changed = saved(tmp_path, "d.tsv", "question\tanswer\tid\n打印机怎么加墨\t看说明书\tp1\n")
    with pytest.raises(Conflict):
        usecases.import_file(session, changed, draft=True)


def test_the_commands_import_search_and_export(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "engine", lambda: engine)
    run = CliRunner()
    source = saved(tmp_path, "a.csv", "question,answer,id\n打印机怎么加墨？,问店员,p1\n")
    assert run.invoke(kb.app, ["import", str(source)]).stdout == '{"added": 1, "updated": 0, "unchanged": 0}\n'
    asked = run.invoke(kb.app, ["search", "--top", "3"], input="打印机如何加墨\r\n\n今天天气\n".encode())
    lines = [json.loads(line) for line in asked.stdout.splitlines()]
    assert [line["query"] for line in lines] == ["打印机如何加墨", "", "今天天气"]
    assert lines[0]["hits"][0] | {"score": 0} == {"id": "p1", "question": "打印机怎么加墨？", "score": 0}
    assert [line["decision"] for line in lines] == ["answer", "none", "none"]
    assert run.invoke(kb.app, ["export", str(tmp_path / "out.jsonl")]).exit_code == 0
    assert json.loads((tmp_path / "out.jsonl").read_text(encoding="utf-8"))["id"] == "p1"


def test_a_failing_command_says_why_in_one_line(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "engine", lambda: engine)
    run = CliRunner()
    for arguments, status in (
        (["import", str(saved(tmp_path, "bad.csv", "question\nx\n"))], 1),
        (["import", str(tmp_path / "none.csv")], 2),
        (["search", str(tmp_path / "none.txt")], 2),
        (["export", str(tmp_path / "out.pdf")], 2),
        (["search", "--top", "0"], 2),
    ):
        result = run.invoke(kb.app, arguments)
        assert result.exit_code == status, arguments
        assert result.stdout == ""
    assert len(run.invoke(kb.app, ["import", str(tmp_path / "none.csv")]).stderr.splitlines()) == 1


def _all_of(article: Article) -> tuple[object, ...]:
    return (article.question, article.answer, article.category, article.tags, article.also, article.status)
