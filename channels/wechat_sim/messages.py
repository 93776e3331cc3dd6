"""The XML both sides exchange: what the platform sends, and what it takes as an answer."""

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape

TEXT_MOST_BYTES = 2048
REPLY_MOST_BYTES = 65_536
CDATA_END = "]]>"


class BadReply(ValueError):
    """The platform would show the user an error text; the message says why."""


@dataclass(frozen=True)
class Article:
    """A card of a news message."""

    title: str
    description: str = ""
    url: str = ""
    picture: str = ""


@dataclass(frozen=True)
class Reply:
    """A passive answer, understood. ``kind`` as in MsgType; ``transfer_customer_service`` shows nothing."""

    kind: str
    text: str = ""
    media_id: str = ""
    articles: tuple[Article, ...] = ()


def render(fields: Mapping[str, str | int]) -> str:
    """The platform's XML: texts as CDATA, numbers bare."""
    return f"<xml>{''.join(_element(name, value) for name, value in fields.items())}</xml>"


def _element(name: str, value: str | int) -> str:
    if isinstance(value, int):
        return f"<{name}>{value}</{name}>"
    return f"<{name}>{escape(value) if CDATA_END in value else f'<![CDATA[{value}{CDATA_END}'}</{name}>"


def parse(body: bytes | str) -> ET.Element:
    """XML of the other side. Raises BadReply for anything else, and for a document type."""
    if len(body) > REPLY_MOST_BYTES:
        raise BadReply("too large")
    said = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    if "<!DOCTYPE" in said.upper() or "<!ENTITY" in said.upper():
        raise BadReply("document type")
    try:
        return ET.fromstring(said)  # noqa: S314 – bounded, and without a document type nothing can be defined
    except ET.ParseError as error:
        raise BadReply("no XML") from error


def value_of(parent: ET.Element, path: str) -> str:
    """The text at a path, or an empty one."""
    return parent.findtext(path) or ""


def reply_of(root: ET.Element, *, openid: str, account: str, is_event: bool) -> Reply:
    """A passive answer to a user. Raises BadReply when the platform would not show it."""
    if value_of(root, "ToUserName") != openid or value_of(root, "FromUserName") != account:
        raise BadReply("for somebody else")
    if not value_of(root, "CreateTime").strip().isdigit():
        raise BadReply("CreateTime")
    kind = value_of(root, "MsgType")
    if kind == "text":
        return Reply(kind, text=_text(value_of(root, "Content")))
    if kind == "image":
        if not value_of(root, "Image/MediaId"):
            raise BadReply("MediaId")
        return Reply(kind, media_id=value_of(root, "Image/MediaId"))
    if kind == "news":
        return Reply(kind, articles=_articles(root))
    if kind == "transfer_customer_service" and not is_event:
        return Reply(kind)
    raise BadReply(f"MsgType {kind}")


def _text(content: str) -> str:
    if not content or len(content.encode()) > TEXT_MOST_BYTES:
        raise BadReply("Content")
    return content


def _articles(root: ET.Element) -> tuple[Article, ...]:
    items = root.findall("Articles/item")
    if len(items) != 1 or value_of(root, "ArticleCount").strip() != "1":
        raise BadReply("ArticleCount")  # more than one has been refused since 2018
    title, description, url, picture = (value_of(items[0], name) for name in ("Title", "Description", "Url", "PicUrl"))
    if not title:
        raise BadReply("Title")
    return (Article(title, description, url, picture),)
