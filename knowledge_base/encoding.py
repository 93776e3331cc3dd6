"""Which encoding a file of articles is in: UTF-8 as programs write it, GB 18030 or UTF-16 as Excel in China does."""

import codecs

from core.errors import Invalid

MOSTLY_UTF8 = 0.8


def decode(content: bytes, *, also_gb18030: bool = False) -> str:
    """The text, without byte order mark. Raises :class:`Invalid` naming the line that is no text.

    A UTF-8 file with one broken line would decode as GB 18030 into nonsense; so it is only tried where few of the
    bytes above ASCII form UTF-8.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and also_gb18030:  # Excel's "Unicode text"
        return _strictly(content, "utf-16")
    if content.startswith(codecs.BOM_UTF8):
        return _strictly(content, "utf-8-sig")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        if also_gb18030 and _share_of_utf8(content) < MOSTLY_UTF8:
            return _strictly(content, "gb18030")
        return _strictly(content, "utf-8")


def _share_of_utf8(content: bytes) -> float:
    above = sum(byte >= 0x80 for byte in content)
    kept = len(content.decode("utf-8", "ignore").encode()) - (len(content) - above)
    return kept / max(above, 1)


def _strictly(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Invalid(f"第 {line} 行有读不出来的字符：请把文件另存为 UTF-8", code="wrong_encoding") from None
