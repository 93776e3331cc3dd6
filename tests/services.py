"""Throwaway servers for tests: PostgreSQL, Redis and RabbitMQ from Debian's packages, on free loopback ports, their
data in a temporary folder. Missing ones skip the test with one line. Only what was started here is ended.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import redis

from tests.stack import free_port

READY_SECONDS = 60
RABBITMQ_SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


def _postgres_folder() -> Path | None:
    """Where ``initdb`` and ``postgres`` of the newest installed version are."""
    found = [p.parent for p in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    on_path = shutil.which("initdb")
    if not found and on_path:
        return Path(on_path).resolve().parent
    return max(found, key=lambda p: int(p.parent.name), default=None)


@dataclass(frozen=True)
class _Waiting:
    """Waits until a server that was started is ready."""

    process: subprocess.Popen[bytes]
    name: str
    ready: Callable[[], bool]
    log: Path

    def __call__(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} did not start:\n{self.log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)


@contextmanager
def _server(
    command: list[str],
    ready: Callable[[], bool],
    log: Path,
    *,
    user: str | None = None,
    env: Mapping[str, str] | None = None,
    later: bool = False,
) -> Iterator["_Waiting"]:
    """A server: started, ready (``later``: when what is given is called), and ended with all its children."""
    leash = (
        ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
    )  # a killed pytest leaves nothing behind
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*leash, *command],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
            env=env,
            user=user,
            start_new_session=True,
        )
    try:
        wait = _Waiting(process, command[0], ready, log)
        if not later:
            wait()
        yield wait
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdin is not None:
            process.stdin.close()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL with an empty database, as a URL."""
    with postgres_server() as url:
        yield url


@contextmanager
def postgres_server() -> Iterator[str]:
    """A PostgreSQL's URL. Skips the test that asks where there is none."""
    binaries = _postgres_folder()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed here (apt: postgresql)")
    user = "postgres" if os.geteuid() == 0 else None  # it refuses to run as root
    if user is not None:
        try:
            pwd.getpwnam(user)
        except KeyError:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres here")
    with tempfile.TemporaryDirectory(prefix="zhike-postgres-") as name:
        folder = Path(name)
        if user is not None:
            shutil.chown(folder, user)
        data, port = folder / "data", free_port()
        initdb = [
            binaries / "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]
        subprocess.run(list(map(str, initdb)), check=True, capture_output=True, user=user, cwd=folder)
        options = [
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "fsync=off",
            "-c",
            "max_connections=400",
            "-c",
            f"unix_socket_directories={folder}",
        ]
        command = [str(binaries / "postgres"), "-D", str(data), "-p", str(port), *options]

        def ready() -> bool:
            try:
                psycopg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres", connect_timeout=2).close()
            except psycopg.OperationalError:
                return False
            return True

        with _server(command, ready, Path(tempfile.gettempdir()) / f"{folder.name}.log", user=user):
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        (Path(tempfile.gettempdir()) / f"{folder.name}.log").unlink(missing_ok=True)


@contextmanager
def fresh_database(server_url: str, name: str) -> Iterator[str]:
    """A new database of a PostgreSQL server, removed at the end."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[call-overload]
    try:
        yield f"{server_url.rsplit('/', 1)[0]}/{name}"
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[call-overload]


@contextmanager
def redis_server() -> Iterator[str]:
    """A Redis that keeps nothing, as a URL."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("Redis is not installed here (apt: redis-server)")
    with tempfile.TemporaryDirectory(prefix="zhike-redis-") as name:
        port = free_port()
        command = [
            binary,
            "--port",
            str(port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
            name,
        ]

        def ready() -> bool:
            try:
                return bool(redis.Redis(port=port, socket_timeout=2).ping())
            except redis.RedisError:
                return False

        with _server(command, ready, Path(name) / "log"):
            yield f"redis://127.0.0.1:{port}/0"


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis that keeps nothing, as a URL."""
    with redis_server() as url:
        yield url


@pytest.fixture(scope="session")
def rabbitmq_url(rabbitmq_soon: tuple[str, Callable[[], None]]) -> str:
    """A RabbitMQ node of its own (or the one of ``ZHIKE_TEST_RABBITMQ_URL``), as a URL."""
    url, wait = rabbitmq_soon
    wait()
    return url


@pytest.fixture(scope="session")
def rabbitmq_soon() -> Iterator[tuple[str, Callable[[], None]]]:
    """The same, for who need not wait (it takes a while): the URL, and what waits until it is there."""
    given = os.environ.get("ZHIKE_TEST_RABBITMQ_URL")
    if given:
        yield given, lambda: None
        return
    if not RABBITMQ_SERVER.exists() or shutil.which("epmd") is None:
        pytest.skip("RabbitMQ is not installed here (apt: rabbitmq-server)")
    with tempfile.TemporaryDirectory(prefix="zhike-rabbitmq-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        port, names_port = free_port(), free_port()
        (folder / "plugins").write_text("[].")
        env = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": name,  # the Erlang cookie is made here
            "RABBITMQ_NODENAME": f"zhike-test-{port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_ALLOW_INPUT": "1",  # in the foreground, without a shell that outlives us
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(folder / "none"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(names_port),
        }
        names_env = {"PATH": os.environ["PATH"], "ERL_EPMD_ADDRESS": "127.0.0.1", "ERL_EPMD_PORT": str(names_port)}
        log = folder / "server.log"

        def names_ready() -> bool:
            return subprocess.run(["epmd", "-names"], env=names_env, capture_output=True, check=False).returncode == 0

        def started() -> bool:
            return b"Server startup complete" in log.read_bytes()

        # Erlang's name server runs in the foreground here, so that it is a child of ours and ends with us
        with (
            _server(["epmd"], names_ready, folder / "epmd.log", env=names_env),
            _server([str(RABBITMQ_SERVER)], started, log, env=env, later=True) as wait,
        ):
            yield f"amqp://guest:guest@127.0.0.1:{port}", wait
