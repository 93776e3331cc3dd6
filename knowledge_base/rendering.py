"""An answer's Markdown as safe HTML for pages, and as plain text for channels that show no HTML."""

from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

TAGS = {"p", "br", "ul", "ol", "li", "strong", "em", "del", "a", "h2", "h3", "h4", "blockquote", "code", "pre", "hr",
        "table", "thead", "tbody", "tr", "th", "td"}  # fmt: skip
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
SCHEMES = {"http", "https", "mailto", "tel"}


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    # Editors press Enter where they want a new line; raw HTML is shown as text
    return MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])


def render(answer_markdown: str) -> str:
    """HTML that is safe to put into a page: only the tags above, links opened without telling where from."""
    html = _markdown().render(answer_markdown)
    return nh3.clean(
        html, tags=TAGS, attributes=ATTRIBUTES, url_schemes=SCHEMES, link_rel="noopener noreferrer nofollow"
    )


def plain(answer_markdown: str) -> str:
    """The text without marks: ``· `` or ``1. `` before list items, a link as ``文字（地址）``."""
    lines: list[str] = []
    lists: list[int | None] = []  # the next number of each open list, None for a bulleted one
    mark = ""
    for token in _markdown().parse(answer_markdown):
        match token.type:
            case "bullet_list_open":
                lists.append(None)
            case "ordered_list_open":
                lists.append(int(token.attrs.get("start", 1)))
            case "bullet_list_close" | "ordered_list_close":
                lists.pop()
            case "list_item_open":
                mark = "· " if lists[-1] is None else f"{lists[-1]}. "
                if lists[-1] is not None:
                    lists[-1] += 1
            case "inline" | "fence" | "code_block":
                text = _inline(token.children) if token.children else token.content.strip("\n")
                lines.append("  " * max(len(lists) - 1, 0) + mark + text)
                mark = ""
            case "paragraph_close" | "heading_close" | "table_close" if not lists:
                lines.append("")
        if token.type in {"bullet_list_close", "ordered_list_close"} and not lists:
            lines.append("")
    return "\n".join(lines).strip()


def _inline(children: list[Token]) -> str:
    out: list[str] = []
    links: list[tuple[str, int]] = []
    for child in children:
        match child.type:
            case "softbreak" | "hardbreak":
                out.append("\n")
            case "link_open":
                links.append((str(child.attrs.get("href", "")), len(out)))
            case "link_close":
                address, began = links.pop()
                if address and address != "".join(out[began:]):
                    out.append(f"（{address}）")
            case _:
                out.append(child.content)
    return "".join(out)
