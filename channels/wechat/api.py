"""Calls to the platform. What it is told is never logged; what went wrong is said by number."""

import json
import mimetypes
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import httpx

from channels.wechat.accounts import Account

TIMEOUT = httpx.Timeout(8, connect=3)
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Refused(Exception):
    """The platform answered with an errcode."""

    def __init__(self, errcode: int) -> None:
        super().__init__(f"errcode {errcode}")
        self.errcode = errcode


class Unreachable(Exception):
    """The call did not get there: nothing has happened."""


class Unheard(Exception):
    """The call went out and no answer came: it may have been done."""


@lru_cache
def _client(own_machine: bool) -> httpx.Client:
    return httpx.Client(timeout=TIMEOUT, trust_env=not own_machine, limits=httpx.Limits(max_keepalive_connections=16))


def _call(account: Account, method: str, path: str, **given: Any) -> httpx.Response:
    client = _client(urlsplit(account.api_base).hostname in LOOPBACK)
    try:
        response = client.request(method, f"{account.api_base}/cgi-bin/{path}", **given)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise Unreachable(type(error).__name__) from None
    except httpx.HTTPError as error:
        raise Unheard(type(error).__name__) from None
    if response.status_code >= 500:
        raise Unheard(str(response.status_code))
    return response


def _told(response: httpx.Response) -> dict[str, Any]:
    try:
        told = response.json()
    except ValueError:
        raise Unheard("no JSON") from None
    if not isinstance(told, dict):
        raise Unheard("no JSON object")
    if told.get("errcode"):
        raise Refused(int(told["errcode"]))
    return told


def _post(account: Account, path: str, body: dict[str, Any], token: str | None = None) -> dict[str, Any]:
    content = json.dumps(body, ensure_ascii=False).encode()  # an escape would be shown as it stands
    params = {"access_token": token} if token else None
    headers = {"Content-Type": "application/json"}
    return _told(_call(account, "POST", path, params=params, content=content, headers=headers))


def stable_token(account: Account, *, force: bool) -> tuple[str, int]:
    """An access token and the seconds it is good for. Raises Refused, Unreachable, Unheard."""
    body = {"grant_type": "client_credential", "appid": account.app_id, "secret": account.secret}
    told = _post(account, "stable_token", {**body, "force_refresh": force})
    return str(told["access_token"]), int(told["expires_in"])


def send(account: Account, token: str, openid: str, message: dict[str, Any]) -> None:
    """A customer-service message: ``{"msgtype": …, …}``. Raises Refused, Unreachable, Unheard."""
    _post(account, "message/custom/send", {"touser": openid, **message}, token)


def upload(account: Account, token: str, name: str, data: bytes) -> str:
    """Gives the platform a picture; its media_id. Raises Refused, Unreachable, Unheard."""
    kind = mimetypes.guess_type(name)[0] or "image/jpeg"
    params = {"access_token": token, "type": "image"}
    told = _told(_call(account, "POST", "media/upload", params=params, files={"media": (name, data, kind)}))
    return str(told["media_id"])


def fetch(account: Account, token: str, media_id: str) -> bytes:
    """A customer's picture. Raises Refused, Unreachable, Unheard."""
    response = _call(account, "GET", "media/get", params={"access_token": token, "media_id": media_id})
    if "json" in response.headers.get("Content-Type", "") or "text" in response.headers.get("Content-Type", ""):
        _told(response)
        raise Unheard("no picture")
    return response.content


def unionid(account: Account, token: str, openid: str) -> str | None:
    """The user's UnionID, where the account's owner has joined accounts. Raises Refused, Unreachable, Unheard."""
    params = {"access_token": token, "openid": openid, "lang": "zh_CN"}
    return _told(_call(account, "GET", "user/info", params=params)).get("unionid")


def set_menu(account: Account, token: str, buttons: list[dict[str, Any]]) -> None:
    """The custom menu at the bottom of the account's page. Raises Refused, Unreachable, Unheard."""
    _post(account, "menu/create", {"button": buttons}, token)
