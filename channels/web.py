"""The website's door: checks what the page sends, and stores pictures. No business."""

import hashlib
import hmac
import io
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image, ImageOps

from core import settings
from core.errors import Invalid, NotFound, TooLarge
from core.ids import new_id
from core.text import clean

FORMATS = {"JPEG": "JPEG", "MPO": "JPEG", "PNG": "PNG", "WEBP": "WEBP", "GIF": "GIF"}  # MPO: what some phones call JPEG
ENDINGS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "GIF": "gif"}
PIXELS_MOST = 40_000_000  # all frames together
JPEG_QUALITY = 88
Image.MAX_IMAGE_PIXELS = None  # we look ourselves, before anything is unpacked


def text_of(raw: str) -> str:
    """A customer's text, cleaned. Raises Invalid when nothing is left, TooLarge when it is too long."""
    most = settings.load().message_max_chars
    text = clean(raw)
    if not text:
        raise Invalid("消息是空的，写点什么再发吧。", code="empty")
    if len(text) > most:
        raise TooLarge(f"一条消息最多 {most} 个字，请分成几条发。", code="long")
    return text


def save_picture(conversation_id: str, data: bytes) -> str:
    """Stores a picture without its metadata (where and by whom it was taken) and gives its address.

    Raises TooLarge, and Invalid for anything that is no picture of a known kind.
    """
    chosen = settings.load()
    if len(data) > chosen.upload_max_bytes:
        raise TooLarge(
            f"图片不能超过 {chosen.upload_max_bytes // 1024 // 1024} MB，压缩一下再发吧。", code="picture_size"
        )
    try:
        kind, bare = _without_metadata(data)
    except Invalid:
        raise
    except Exception as error:  # a decoder meets broken data in many ways
        raise Invalid("这个文件不是能打开的图片，请换一张再发。", code="picture_broken") from error
    name = f"{new_id()}.{ENDINGS[kind]}"
    folder = chosen.var_dir / "uploads" / conversation_id
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(bare)
    return f"/files/{conversation_id}/{name}?s={_signature(conversation_id, name)}"


def _without_metadata(data: bytes) -> tuple[str, bytes]:
    with Image.open(io.BytesIO(data), formats=["JPEG", "PNG", "WEBP", "GIF"]) as picture:
        kind = FORMATS[picture.format or ""]
        frames = getattr(picture, "n_frames", 1) if kind == "GIF" else 1
        if picture.width * picture.height * frames > PIXELS_MOST:
            raise Invalid("图片的尺寸太大了，缩小一些再发吧。", code="picture_pixels")
        out = io.BytesIO()
        if kind == "GIF":
            picture.info.pop("comment", None)
            picture.save(out, "GIF", save_all=True, comment=b"")
            return kind, out.getvalue()
        upright = ImageOps.exif_transpose(picture)
        upright.info = {k: v for k, v in upright.info.items() if k == "transparency"}
        upright.save(out, kind, **({"quality": JPEG_QUALITY} if kind == "JPEG" else {}))
        return kind, out.getvalue()


def picture_path(conversation_id: str, name: str, signature: str) -> Path:
    """The stored file. Raises NotFound unless the signature is ours."""
    if not hmac.compare_digest(_signature(conversation_id, name).encode(), signature.encode()):
        raise NotFound("图片不存在。")
    path = settings.load().var_dir / "uploads" / conversation_id / name
    if not path.is_file():
        raise NotFound("图片不存在。")
    return path


def remove_picture(url: str) -> None:
    """Takes back a picture just stored under this address."""
    conversation_id, name = urlsplit(url).path.split("/")[-2:]
    (settings.load().var_dir / "uploads" / conversation_id / name).unlink(missing_ok=True)


def _signature(conversation_id: str, name: str) -> str:
    key = settings.load().secret_key.encode()
    return hmac.new(key, f"{conversation_id}/{name}".encode(), hashlib.sha256).hexdigest()[:32]
