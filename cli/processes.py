"""The processes the system is made of: how each is started, and how one sees that it is up."""

import os
from collections.abc import Mapping
from pathlib import Path

import httpx
from sqlalchemy import make_url

from core.migrate import BRAIN_SCHEMA

ROOT = Path(__file__).resolve().parent.parent
BOT_PYTHON = ROOT / ".venv-bot" / "bin" / "python"
APP_BIN = ROOT / ".venv" / "bin"
QUIET_BRAIN = {
    "RASA_TELEMETRY_ENABLED": "false",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "PYTHONWARNINGS": "ignore",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    "SANIC_WORKERS": "1",
}
ORDER = ("actions", "brain", "web")


def command(name: str, environment: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """The command line of a process and its environment. ``environment`` holds ports, folders and secrets."""
    env = dict(environment)
    port = env[_PORTS[name]]
    if name == "actions":
        return [str(APP_BIN / "python"), "-m", "actions.server"], env
    if name == "web":
        many = env.get("ZHIKE_WEB_WORKER") == "gevent"  # a connection holds a greenlet instead of a thread
        kind = ["-k", "gevent", "--worker-connections", "4000"] if many else ["-k", "gthread", "--preload"]
        threads = [] if many else ["--threads", env.get("ZHIKE_WEB_THREADS", "120")]
        options = [*kind, *threads, "-w", "1", "--keep-alive", "30", "--graceful-timeout", "5", "--timeout", "60"]
        options += ["--no-control-socket", "-c", "python:web.serving"]
        address = f"{env.get('ZHIKE_HOST', '127.0.0.1')}:{port}"
        return [str(APP_BIN / "gunicorn"), *options, "-b", address, "web.wsgi:app"], env
    env |= QUIET_BRAIN
    env["ZHIKE_ACTIONS_URL"] = env.get("ZHIKE_ACTIONS_URL") or f"http://127.0.0.1:{env['ZHIKE_ACTIONS_PORT']}"
    env |= _memory(env)
    slow = env.get("ZHIKE_BRAIN_SLOW", "")
    env["ZHIKE_BRAIN_STORE"] = "SQL" if slow == "all" or "talks" in slow.split(",") else "bot.serving.talks.Talks"
    env.setdefault("ZHIKE_RABBITMQ_URL", "")
    model = Path(env.get("ZHIKE_MODEL_DIR") or ROOT / "models") / "zhike.tar.gz"
    files = ["--model", str(model), "--endpoints", "bot/endpoints.yml", "--credentials", "bot/credentials.yml"]
    listen = ["-i", env.get("ZHIKE_BRAIN_HOST", "127.0.0.1"), "-p", port]
    return [str(BOT_PYTHON), "-m", "bot.serving.run", "run", *listen, *files], env


def _memory(env: Mapping[str, str]) -> dict[str, str]:
    """Where the brain keeps its talks: beside the desk's tables on PostgreSQL, a SQLite file of its own otherwise."""
    url = make_url(env.get("ZHIKE_DATABASE_URL") or "sqlite://")
    if url.get_backend_name() not in {"postgresql", "postgres"}:
        return {"ZHIKE_BRAIN_DB": f"sqlite:///{Path(env['ZHIKE_VAR_DIR']).resolve() / 'brain.db'}"}
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)  # the brain has psycopg2
    return {"ZHIKE_BRAIN_DB": plain, "POSTGRESQL_SCHEMA": BRAIN_SCHEMA}


_PORTS = {"web": "ZHIKE_PORT", "brain": "ZHIKE_BRAIN_PORT", "actions": "ZHIKE_ACTIONS_PORT"}
_SIGNS = {"web": "/healthz", "brain": "/webhooks/zhike/ready", "actions": "/health"}


def is_up(name: str, environment: Mapping[str, str]) -> bool:
    """Whether the process answers."""
    url = f"http://127.0.0.1:{environment[_PORTS[name]]}{_SIGNS[name]}"
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def environment() -> dict[str, str]:
    """What all processes get: ours, with ports, folder and secrets of the settings in force."""
    from core import settings

    chosen = settings.load()
    return {
        **os.environ,
        "ZHIKE_VAR_DIR": str(chosen.var_dir),
        "ZHIKE_MODEL_DIR": str(chosen.model_dir),
        "ZHIKE_HOST": chosen.host,
        "ZHIKE_PORT": str(chosen.port),
        "ZHIKE_BRAIN_PORT": str(chosen.brain_port),
        "ZHIKE_ACTIONS_PORT": str(chosen.actions_port),
        "ZHIKE_BRAIN_HOST": chosen.brain_host,
        "ZHIKE_BRAIN_SLOW": chosen.brain_slow,
        "ZHIKE_ACTIONS_URL": chosen.actions_url,
        "ZHIKE_WEB_WORKER": chosen.web_worker,
        "ZHIKE_WEB_THREADS": str(chosen.web_threads),
        "ZHIKE_DATABASE_URL": chosen.database_url,
        "ZHIKE_RABBITMQ_URL": chosen.rabbitmq_url,
        "ZHIKE_INTERNAL_SECRET": chosen.internal_secret,
    }
