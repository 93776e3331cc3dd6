"""``zhike channel``: official accounts of WeChat – connect, list, push the menu. Takes effect without a restart."""

import sys
from typing import Annotated, Any

import typer

from core import clock, db, settings

app = typer.Typer(help="Channels besides the website.", no_args_is_help=True)
add_app = typer.Typer(help="Connect a channel, or change one.", no_args_is_help=True)
app.add_typer(add_app, name="add")

MENU: list[dict[str, Any]] = [
    {"type": "click", "name": "查物流", "key": "查物流"},
    {
        "name": "自助服务",
        "sub_button": [
            {"type": "click", "name": "查订单", "key": "查订单"},
            {"type": "click", "name": "退换货", "key": "退换货"},
            {"type": "click", "name": "开发票", "key": "开发票"},
            {"type": "click", "name": "绑定会员", "key": "绑定会员"},
        ],
    },
    {"type": "click", "name": "人工客服", "key": "转人工"},
]


@add_app.command("wechat")
def add_wechat(
    account: Annotated[str, typer.Argument(help="a short name of your own, part of the callback's address")],
    app_id: Annotated[str, typer.Option(help="AppID")],
    token: Annotated[str, typer.Option(help="Token, as typed into the platform's server settings")] = "",
    aes_key: Annotated[str, typer.Option(help="EncodingAESKey, 43 characters; not used in plain mode")] = "",
    mode: Annotated[str, typer.Option(help="plain, compatible or safe")] = "safe",
    api_base: Annotated[str, typer.Option(help="where the platform's API answers")] = "https://api.weixin.qq.com",
) -> None:
    """Connects an official account. On standard input, a line each: the Token and the EncodingAESKey where they were not
    given, and the AppSecret."""
    from channels.wechat import accounts

    lines = [line.strip() for line in sys.stdin.read().splitlines() if line.strip()]
    secret = lines.pop() if lines else ""
    token = token or (lines.pop(0) if lines else "")
    aes_key = aes_key or (lines.pop(0) if lines else "")
    with db.writing() as session:
        made = accounts.add(
            session,
            clock.now(),
            name=account,
            app_id=app_id,
            token=token,
            aes_key=aes_key,
            secret=secret,
            mode=mode,
            api_base=api_base,
        )
        name = made.name
    print(f"{name} is connected. The platform's server address: {settings.load().site}/channels/wechat/{name}")


@app.command("list")
def list_channels() -> None:
    """The connected accounts, one a line."""
    from sqlalchemy import func, select

    from channels.wechat.models import WechatAccount, WechatUser

    with db.reading() as session:
        for found in session.scalars(select(WechatAccount).order_by(WechatAccount.name)):
            users = session.scalar(select(func.count()).where(WechatUser.account_id == found.id))
            print(f"wechat {found.name} {found.app_id} {found.mode} {found.api_base} users={users}")


@app.command("menu")
def push_menu(account: str) -> None:
    """Puts the custom menu at the bottom of the account's page."""
    from channels.wechat import accounts, api, tokens

    with db.reading() as session:
        known = accounts.find(session, account)
    try:
        tokens.using(known, lambda token: api.set_menu(known, token, MENU))
    except (api.Refused, api.Unreachable, api.Unheard) as error:
        raise RuntimeError(f"the platform did not take the menu: {error}") from None
    print(f"{account} shows the menu now.")
