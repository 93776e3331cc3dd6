"""What a body must be before anything reads it, and what its texts must be before anything stores them."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from apiflask import APIFlask, Schema
from flask import Response, request
from marshmallow import EXCLUDE, ValidationError, post_load
from werkzeug.exceptions import RequestEntityTooLarge

from core.errors import ZhikeError
from core.text import clean, storable

API = "/api/"
BODY_MOST_BYTES = 64 * 1024
MULTIPART = "multipart/form-data"
FORMS = {"customer.picture", "channel.picture"}
DRAIN_MOST_BYTES = 32 * 1024 * 1024
FREE_TEXT = {"comment", "reason", "note"}  # cleaned; ``text`` is cleaned by the channel
CLEANED_LATER = {"text"}


class Malformed(ZhikeError):
    """No JSON object."""

    def __init__(self) -> None:
        super().__init__("内容没有读懂，请检查格式（UTF-8 的 JSON）后再发一次。", code="json")


class WrongKind(ZhikeError):
    """Another content type than this address takes."""

    status = 415
    title = "格式不支持"


class Lenient(Schema):
    """Unknown fields are left out. Free text is cleaned; any other text that no database can keep is refused."""

    class Meta:
        unknown = EXCLUDE

    @post_load
    def _texts(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {name: self._text(name, value) for name, value in data.items()}

    def _text(self, name: str, value: Any) -> Any:
        if isinstance(value, list):
            return [self._text(name, each) for each in value]
        if not isinstance(value, str) or name in CLEANED_LATER:
            return value
        if name in FREE_TEXT:
            value = clean(value)
            if value or not self.fields[name].required:
                return value
        elif storable(value):
            return value
        raise ValidationError("not storable", name)


def check(app: APIFlask) -> None:
    """Refuses bodies that are no JSON object, and reads what is left of a refused one."""

    @app.before_request
    def readable() -> None:
        if request.url_rule is None or not request.path.startswith(API):
            return
        if request.endpoint in FORMS:
            if request.mimetype != MULTIPART:
                raise WrongKind("请用表单（multipart/form-data）上传图片。")
            return
        sent = request.get_data(cache=True)
        if len(sent) >= BODY_MOST_BYTES:
            raise RequestEntityTooLarge  # a body in chunks is only cut there
        if len(sent) < (request.content_length or 0):
            raise Malformed  # cut off on the way
        if not sent:
            return
        if not request.is_json:
            raise WrongKind("请用 JSON 格式（Content-Type: application/json）。")
        try:
            told = json.loads(sent.decode())
        except (ValueError, RecursionError):  # also numbers of thousands of digits, and endless brackets
            raise Malformed from None
        if not isinstance(told, Mapping):
            raise Malformed

    @app.after_request
    def drain(response: Response) -> Response:
        """Else the connection is reset under the sender, who never reads why."""
        if response.status_code >= 400 and request.environ.get("wsgi.input_terminated"):
            left = DRAIN_MOST_BYTES
            with suppress(Exception):  # the sender is gone: nobody reads the answer
                while left > 0 and (piece := request.environ["wsgi.input"].read(min(left, 65536))):
                    left -= len(piece)
        return response
