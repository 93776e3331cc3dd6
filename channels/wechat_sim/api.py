"""The platform's API as HTTP: tokens, customer-service messages, media, user info and menu."""

import json
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, request

from channels.wechat_sim import page
from channels.wechat_sim.chances import Fate
from channels.wechat_sim.errors import ApiError, body_of
from channels.wechat_sim.messages import TEXT_MOST_BYTES, Article
from channels.wechat_sim.platform import Platform
from channels.wechat_sim.users import How, Line, User

IMAGE_MOST_BYTES = 10 * 1024 * 1024
TYPING_AFTER_SECONDS, TYPING_LASTS_SECONDS = 30, 15
ESCAPES = re.compile(r"(?<!\\)\\u(?!00[01])")  # the platform shows \u4f60 as it stands; only control characters need it

type Call = Callable[[Platform], dict[str, Any] | Response]


def create_app(platform: Platform) -> Flask:
    """The application: the API under /cgi-bin, the page at /."""
    app = Flask("wechat_sim", static_folder=str(Path(__file__).parent / "static"), static_url_path="/assets")
    app.config["MAX_CONTENT_LENGTH"] = IMAGE_MOST_BYTES + 65_536
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    for path, method, call in CALLS:
        app.add_url_rule(f"/cgi-bin/{path}", path, _guarded(platform, path, call), methods=[method])
    page.add(app, platform)
    return app


def _guarded(platform: Platform, path: str, call: Call) -> Callable[[], Response]:
    """A call with its accidents, its token and its errcodes."""

    def view() -> Response:
        platform.chances.hold(platform.over)
        fate = platform.chances.of_call()
        if fate is Fate.CUT:
            return _hang_up()
        answer = _answered(platform, path, call)
        return _hang_up() if fate is Fate.UNHEARD and path != "stable_token" and _missed(platform, answer) else answer

    return view


def _answered(platform: Platform, path: str, call: Call) -> Response:
    platform.note(path)
    try:
        ordered = platform.next_failure(path)
        if not ordered and path != "stable_token":
            ordered = platform.tokens.errcode(request.args.get("access_token", ""))
        if ordered:
            raise ApiError(ordered)
        told = call(platform)
    except ApiError as error:
        told = body_of(error.errcode)
    return told if isinstance(told, Response) else jsonify(told)


def _missed(platform: Platform, answer: Response) -> bool:
    """Notes a send that was carried out and whose answer will be lost; whether it was one."""
    if not request.path.endswith("/custom/send") or (answer.get_json(silent=True) or {}).get("errcode") != 0:
        return False
    said = _json()
    platform.unheard.append((str(said.get("touser")), str(said.get("text", {}).get("content", ""))))
    return True


def _hang_up() -> Response:
    """Breaks the connection instead of an answer."""
    request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return Response()


def _json() -> dict[str, Any]:
    raw = request.get_data()
    if not raw:
        raise ApiError(44002)
    try:
        told = json.loads(ESCAPES.sub(r"\\\\u", raw.decode()))
    except UnicodeDecodeError as error:
        raise ApiError(40033) from error
    except ValueError as error:
        raise ApiError(47001) from error
    if not isinstance(told, dict):
        raise ApiError(47001)
    return told


def _stable_token(platform: Platform) -> dict[str, Any]:
    asked = _json()
    if asked.get("grant_type") != "client_credential":
        raise ApiError(40002)
    if asked.get("appid") != platform.account.app_id:
        raise ApiError(40013)
    if asked.get("secret") != platform.secret:
        raise ApiError(40125)
    try:
        token, seconds = platform.tokens.get(force=asked.get("force_refresh") is True)
    except OverflowError as error:
        raise ApiError(45009) from error
    return {"access_token": token, "expires_in": seconds}


def _user(platform: Platform, openid: object) -> User:
    found = platform.find(openid) if isinstance(openid, str) else None
    if found is None:
        raise ApiError(40003)
    return found


def _send(platform: Platform) -> dict[str, Any]:
    said = _json()
    user = _user(platform, said.get("touser"))
    line = _line(platform, said)
    errcode = user.ledger.spend(platform.clock()) if user.subscribed else 45015
    if errcode:
        platform.refused.append((user.openid, errcode))
        raise ApiError(errcode)
    user.typing_until = 0.0
    user.sees(line)
    return body_of(0)


def _line(platform: Platform, said: dict[str, Any]) -> Line:
    """The line in a send. Raises ApiError when it is not one."""
    kind = said.get("msgtype")
    content = said.get(kind) if isinstance(kind, str) else None
    if not isinstance(content, dict):
        raise ApiError(40008)
    if kind == "text":
        return Line(How.API, "text", _text(content.get("content")), at=platform.clock())
    if kind == "image":
        media_id = str(content.get("media_id", ""))
        if platform.media(media_id) is None:
            raise ApiError(40007)
        return Line(How.API, "image", media_id=media_id, at=platform.clock())
    if kind == "news":
        return Line(How.API, "news", articles=_articles(content.get("articles")), at=platform.clock())
    raise ApiError(40008)


def _text(content: object) -> str:
    if not isinstance(content, str) or not content:
        raise ApiError(44004)
    if len(content.encode("utf-8", "surrogatepass")) > TEXT_MOST_BYTES:
        raise ApiError(45002)
    return content


def _articles(items: object) -> tuple[Article, ...]:
    if not isinstance(items, list) or len(items) != 1 or not isinstance(items[0], dict) or not items[0].get("title"):
        raise ApiError(45008)
    return (Article(*(str(items[0].get(name, "")) for name in ("title", "description", "url", "picurl"))),)


def _typing(platform: Platform) -> dict[str, Any]:
    said, now = _json(), platform.clock()
    user = _user(platform, said.get("touser"))
    if said.get("command") not in {"Typing", "CancelTyping"}:
        raise ApiError(45072)
    if said["command"] == "CancelTyping":
        user.typing_until = 0.0
        return body_of(0)
    if now - user.acted_at > TYPING_AFTER_SECONDS:
        raise ApiError(45080)
    if now < user.typing_until:
        raise ApiError(45081)
    user.typing_until = now + TYPING_LASTS_SECONDS
    user.touch()
    return body_of(0)


def _upload(platform: Platform) -> dict[str, Any]:
    if request.args.get("type") != "image":
        raise ApiError(40004)
    sent = request.files.get("media")
    if sent is None:
        raise ApiError(44002)
    data = sent.read(IMAGE_MOST_BYTES + 1)
    if len(data) > IMAGE_MOST_BYTES:
        raise ApiError(45001)
    media_id = platform.keep(data, sent.mimetype or "image/jpeg")
    return {"type": "image", "media_id": media_id, "created_at": int(platform.clock())}


def _download(platform: Platform) -> Response:
    found = platform.media(request.args.get("media_id", ""))
    if found is None:
        raise ApiError(40007)
    return Response(found[0], mimetype=found[1], headers={"Content-Disposition": 'attachment; filename="media"'})


def _info(platform: Platform) -> dict[str, Any]:
    user = _user(platform, request.args.get("openid"))
    told: dict[str, Any] = {"subscribe": int(user.subscribed), "openid": user.openid}
    if user.subscribed and user.unionid:
        told["unionid"] = user.unionid
    return told


def _menu(platform: Platform) -> dict[str, Any]:
    menu = _json()
    buttons = menu.get("button")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= 3:
        raise ApiError(40016)
    for button in buttons:
        below = button.get("sub_button") or []
        if len(below) > 5:
            raise ApiError(40023)
        if not all(0 < len(str(one.get("name", "")).encode()) <= 60 for one in (button, *below)):
            raise ApiError(40018)
    platform.menu = menu
    for user in platform.users:
        user.touch()
    return body_of(0)


CALLS: tuple[tuple[str, str, Call], ...] = (
    ("stable_token", "POST", _stable_token),
    ("message/custom/send", "POST", _send),
    ("message/custom/typing", "POST", _typing),
    ("media/upload", "POST", _upload),
    ("media/get", "GET", _download),
    ("user/info", "GET", _info),
    ("menu/create", "POST", _menu),
)
