"""The website's door: checks what the page sends, and stores pictures. No business."""

import hashlib
import hmac
import io
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from core import settings
from core.errors import Invalid, NotFound, TooLarge
from core.ids import new_id
from core.text import clean

FORMATS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "GIF": "gif"}
PIXELS_MOST = 40_000_000


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
        raise TooLarge(f"图片不能超过 {chosen.upload_max_bytes // 1024 // 1024} MB，压缩一下再发吧。", code="picture_size")
    try:
        with Image.open(io.BytesIO(data)) as picture:
            kind = picture.format or ""
            if kind not in FORMATS or picture.width * picture.height > PIXELS_MOST:
                raise Invalid("只支持 JPG、PNG、WEBP、GIF 图片，且不要太大。", code="picture_kind")
            name = f"{new_id()}.{FORMATS[kind]}"
            folder = chosen.var_dir / "uploads" / conversation_id
            folder.mkdir(parents=True, exist_ok=True)
            if kind == "GIF":
                picture.save(folder / name, save_all=True)
            else:
                bare = Image.new(picture.mode, picture.size)
                bare.putdata(list(picture.getdata())) if picture.mode == "P" else bare.paste(picture)
                if picture.mode == "P" and picture.getpalette():
                    bare.putpalette(picture.getpalette() or [])
                bare.save(folder / name)
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise Invalid("这个文件不是能打开的图片，请换一张再发。", code="picture_broken") from error
    return f"/files/{conversation_id}/{name}?s={_signature(conversation_id, name)}"


def picture_path(conversation_id: str, name: str, signature: str) -> Path:
    """The stored file. Raises NotFound unless the signature is ours."""
    if not hmac.compare_digest(_signature(conversation_id, name).encode(), signature.encode()):
        raise NotFound("图片不存在。")
    path = settings.load().var_dir / "uploads" / conversation_id / name
    if not path.is_file():
        raise NotFound("图片不存在。")
    return path


def _signature(conversation_id: str, name: str) -> str:
    key = settings.load().secret_key.encode()
    return hmac.new(key, f"{conversation_id}/{name}".encode(), hashlib.sha256).hexdigest()[:32]
