"""``zhike``: everything one does from the command line. Errors go to standard error in one line."""

import sys
from typing import Annotated

import typer
from sqlalchemy.exc import SQLAlchemyError
from typer.exceptions import TyperException

import migrations.models  # noqa: F401 – every table is known before the first query
from cli import backup, channel, kb, nlu, wechat_sim
from core import clock, db, migrate, settings
from core.errors import ZhikeError

app = typer.Typer(
    help="知客 Zhike: a Chinese customer-service bot and its desk.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
database = typer.Typer(help="The database.", no_args_is_help=True)
demo = typer.Typer(help="The demo shop.", no_args_is_help=True)
user = typer.Typer(help="Staff.", no_args_is_help=True)
app.add_typer(database, name="db")
app.add_typer(demo, name="demo")
app.add_typer(user, name="user")
app.add_typer(kb.app, name="kb")
app.add_typer(nlu.app, name="nlu")
app.add_typer(channel.app, name="channel")
app.command("wechat-sim")(wechat_sim.run)
app.command("backup")(backup.save)
app.command("restore")(backup.restore)


@database.command("upgrade")
def db_upgrade() -> None:
    """Brings the database to the newest form; loads no content."""
    migrate.upgrade()


@demo.command("load")
def demo_load() -> None:
    """Fills an empty database with the demo shop and loads the shipped articles."""
    from cli import setup

    for line in setup.load_demo():
        print(line)


@user.command("add")
def user_add(
    name: str,
    role: Annotated[str, typer.Option(help="agent, supervisor, editor, planner or admin")],
    skill: Annotated[list[str] | None, typer.Option(help="NAME:1-5, may be given again")] = None,
    capacity: Annotated[int, typer.Option(help="talks at the same time")] = 5,
    display_name: Annotated[str | None, typer.Option(help="as customers see it")] = None,
) -> None:
    """Adds a member of staff; the password is one line on standard input."""
    from helpdesk.staff import usecases as staff
    from helpdesk.staff.rules import Role

    try:
        skills = {n: int(level) for n, _, level in (s.partition(":") for s in skill or [])}
        chosen = Role(role)
    except ValueError:
        raise typer.BadParameter(
            "--skill takes NAME:1-5; --role is agent, supervisor, editor, planner or admin"
        ) from None
    password = sys.stdin.readline().rstrip("\n")
    with db.writing() as session:
        made = staff.add_agent(
            session,
            clock.now(),
            name=name,
            password=password,
            role=chosen,
            skills=skills,
            capacity=capacity,
            display_name=display_name,
        )
        print(f"{made.name} ({made.role}) can sign in now.")


@user.command("password")
def user_password(name: str) -> None:
    """Sets somebody's password (one line on standard input) and ends their sign-ins."""
    from helpdesk.staff import usecases as staff

    password = sys.stdin.readline().rstrip("\n")
    with db.writing() as session:
        staff.reset_password(session, name, password, clock.now())
    print(f"{name} can sign in with the new password.")


@user.command("lock")
def user_lock(name: str) -> None:
    """Nobody can sign in under this name until a new password is set; held talks go back to the queue."""
    from helpdesk.staff import usecases as staff

    with db.writing() as session:
        staff.reset_password(session, name, None, clock.now())
    print(f"{name} is locked.")


@app.command("visitor-token")
def visitor_token(customer_id: int) -> None:
    """Prints a customer_token as the shop's site would sign it."""
    from crm.customers import access

    print(access.visitor_token(customer_id, settings.load().customer_token_secret, clock.now()))


@app.command()
def up(no_setup: Annotated[bool, typer.Option("--no-setup", help="start only, set nothing up")] = False) -> None:
    """Sets up what is missing, starts everything and prints the addresses once all is ready. Ctrl-C stops it."""
    from cli import setup
    from cli.up import serve

    if not no_setup:
        setup.everything(words_later=True)
    raise typer.Exit(serve())


@app.command("setup")
def set_up() -> None:
    """Sets up what is missing: database, demo data, lexicon, model."""
    from cli import setup

    setup.everything()


@app.command()
def doctor() -> None:
    """What is missing or wrong here, and the mend."""
    from cli.doctor import checks

    bad = 0
    for check in checks():
        print(f"{'ok ' if check.ok else 'BAD'} {check.what}{'' if check.ok else ' – ' + check.mend}")
        bad += not check.ok
    raise typer.Exit(1 if bad else 0)


def run() -> None:
    """The program: exit status 0 when done, 1 when something failed, 2 when the call was wrong."""
    try:
        status = app(standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except typer.Exit as end:
        sys.exit(end.exit_code)
    except TyperException as error:
        print(f"zhike: {error}", file=sys.stderr)
        sys.exit(2)
    except ZhikeError as error:
        print(f"zhike: {error.detail}", file=sys.stderr)
        sys.exit(1)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        print(f"zhike: 数据库用不了（{reason}）；新机器请先运行 zhike db upgrade", file=sys.stderr)
        sys.exit(1)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    except (OSError, RuntimeError) as error:
        print(f"zhike: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    run()
