"""``zhike wechat-sim``: WeChat without an account – a stand-in for the platform with a page like a phone's chat."""

import secrets
import signal
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from cli import channel
from core import clock, db, settings

if TYPE_CHECKING:
    from channels.wechat_sim import Platform

APP_ID = "wxzhikestandin000"
FIRST_USER = "小微"


def run(
    port: Annotated[int, typer.Option(help="the stand-in's own port on the loopback")] = 8066,
    account: Annotated[str, typer.Option(help="the name under which the account is connected here")] = "sim",
    mode: Annotated[str, typer.Option(help="plain, compatible or safe")] = "safe",
) -> None:
    """Plays WeChat: connects a pretended official account to this Zhike and shows a phone's chat. Ctrl-C ends it."""
    from channels.wechat_sim import Mode, Platform, new_aes_key

    if mode not in list(Mode):
        raise typer.BadParameter("--mode is plain, compatible or safe")
    chosen = settings.load()
    platform = Platform(
        f"http://{chosen.host}:{chosen.port}/channels/wechat/{account}",
        APP_ID,
        secrets.token_hex(12),
        new_aes_key(),
        mode,
        port=port,
        bound=lambda openid: customer_name(account, openid),
    )
    platform.user_named(FIRST_USER)
    try:
        platform.start()
    except SystemExit as error:  # the server ends the program when the port is taken
        raise OSError(f"port {port} is in use; choose another with --port") from error
    try:
        connect(platform, account)
        channel.push_menu(account)
        print(told(platform.base, account, platform.verify()), flush=True)
        over = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: over.set())
        over.wait()
    finally:
        platform.stop()


def connect(platform: "Platform", name: str) -> None:
    """Connects the pretended account as ``zhike channel add`` does a real one; its keys are new at each start."""
    from channels.wechat import accounts

    known = platform.account
    with db.writing() as session:
        accounts.add(
            session, clock.now(), name=name, app_id=known.app_id, token=known.token, aes_key=known.aes_key,
            secret=platform.secret, mode=known.mode, api_base=platform.base,
        )  # fmt: skip


def customer_name(account: str, openid: str) -> str:
    """Who a user is in the shop, or an empty text."""
    from sqlalchemy import select

    from crm.customers.models import ChannelIdentity, Customer

    with db.reading() as session:
        wanted = (ChannelIdentity.channel == f"wechat:{account}", ChannelIdentity.external_id == openid)
        return session.scalar(select(Customer.name).join(ChannelIdentity.customer).where(*wanted)) or ""


def told(base: str, account: str, answers: bool) -> str:
    """What is printed at the start."""
    chosen = settings.load()
    lines = [
        f"WeChat stand-in        {base}/",
        f"connected account      {account} (calls http://{chosen.host}:{chosen.port}/channels/wechat/{account})",
    ]
    if not answers:
        lines.append("Zhike does not answer there yet: start it with make run, then write in the page.")
    return "\n".join([*lines, "Ctrl-C ends it"])
