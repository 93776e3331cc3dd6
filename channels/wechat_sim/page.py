"""The page that looks like a phone's chat, and the few calls it makes (under /sim)."""

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask, Response, abort, jsonify, request

from channels.wechat_sim.users import User

if TYPE_CHECKING:
    from channels.wechat_sim.platform import Platform

LOOK_SECONDS = 15
NAME_MOST = 20
PICTURES = {"image/png", "image/jpeg", "image/gif", "image/webp"}
CSP = (
    "default-src 'self'; img-src 'self' data: http: https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def add(app: Flask, platform: "Platform") -> None:
    """Adds the page to the stand-in's application."""
    app.before_request(_only_from_here)
    app.after_request(_headers)
    app.add_url_rule("/", "page", lambda: app.send_static_file("index.html"))
    app.add_url_rule("/sim/media/<media_id>", "media", lambda media_id: _media(platform, media_id))
    app.add_url_rule("/sim/users", "users", lambda: _users(platform))
    app.add_url_rule("/sim/users", "new_user", lambda: _new_user(platform), methods=["POST"])
    app.add_url_rule("/sim/users/<openid>", "look", lambda openid: _look(platform, _known(platform, openid)))
    for name, deed in DEEDS.items():

        def do(openid: str, deed: Callable[[User], object] = deed) -> Response:
            deed(_known(platform, openid))
            return Response(status=204)

        app.add_url_rule(f"/sim/users/<openid>/{name}", f"do_{name}", do, methods=["POST"])


def _only_from_here() -> None:
    """No other site's page may reach in by a name that leads to the loopback, or with a form."""
    if urlsplit(f"//{request.host}").hostname not in {"127.0.0.1", "localhost"}:
        abort(403)
    origin = request.headers.get("Origin")
    if request.path.startswith("/sim") and origin and urlsplit(origin).netloc != request.host:
        abort(403)


def _headers(answer: Response) -> Response:
    answer.headers["Content-Security-Policy"] = CSP
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _known(platform: "Platform", openid: str) -> User:
    user = platform.find(openid)
    if user is None:
        abort(404)
    return user


def _media(platform: "Platform", media_id: str) -> Response:
    found = platform.media(media_id)
    if found is None:
        abort(404)
    return Response(found[0], mimetype=found[1])


def _users(platform: "Platform") -> Response:
    return jsonify(users=[{"openid": user.openid, "name": user.name} for user in platform.users])


def _new_user(platform: "Platform") -> Response:
    name = str(_body().get("name", "")).strip()[:NAME_MOST]
    if not name:
        abort(422)
    return jsonify(openid=platform.user_named(name).openid)


def _look(platform: "Platform", user: User) -> Response:
    """All there is to show; waits while nothing is new since ``seen``."""
    user.wait_changed(request.args.get("seen", -1, type=int), LOOK_SECONDS)
    version, now = user.version, platform.clock()
    ends = user.window_ends
    return jsonify(
        version=version,
        name=user.name,
        subscribed=user.subscribed,
        bound=platform.bound(user.openid),
        typing=now < user.typing_until,
        sends_left=user.sends_left,
        window_seconds=None if ends is None else round(ends - now),
        menu=platform.menu.get("button", []),
        lines=[asdict(line) for line in list(user.lines)],
    )


def _body() -> dict[str, Any]:
    """A JSON body; another site's form cannot send one."""
    told = request.get_json()
    return told if isinstance(told, dict) else {}


def _text(user: User) -> None:
    text = str(_body().get("text", "")).strip()
    if not text or not user.subscribed:
        abort(422)
    user.sends(text)


def _image(user: User) -> None:
    if request.mimetype not in PICTURES or not user.subscribed:
        abort(422)
    user.sends_image(request.get_data(), request.mimetype)


def _click(user: User) -> None:
    user.clicks(str(_body().get("key", "")))


def _view(user: User) -> None:
    user.views(str(_body().get("url", "")))


def _follow(user: User) -> None:
    _body()
    user.follows()


def _leave(user: User) -> None:
    _body()
    user.leaves()


DEEDS: dict[str, Callable[[User], object]] = {
    "text": _text,
    "image": _image,
    "click": _click,
    "view": _view,
    "follow": _follow,
    "leave": _leave,
}
