"""The images, as far as they can be known without building them: what is copied is enough to run, and no more."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli import processes
from core.secrets import NAMES
from tests.deploy.files import DEPLOY, ROOT, compose, copied, is_sent, stages

START = "deploy/containers/start.sh"
PRIVATE = [".env", ".git/config", "var/zhike.db", "var/secrets.json", "models/zhike.tar.gz", "deploy/secrets/tls.key"]
SHOW = '#!/bin/sh\nprintf "%s\\n" "$0" "$@"\nenv | sed "s/^/ENV /"\n'


def _sent_files(source: str) -> Iterator[Path]:
    start = ROOT / source.rstrip("/")
    found = [start] if start.is_file() else [Path(top) / name for top, _, names in os.walk(start) for name in names]
    return (path for path in found if is_sent(str(path.relative_to(ROOT))))


@pytest.fixture(scope="module", params=["app", "bot"])
def image(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of an image, with programs that show how they were called in place of its environments."""
    tree = tmp_path_factory.mktemp(request.param)
    for source, target in copied(request.param):
        for path in _sent_files(source):
            within = tree / target / path.relative_to(ROOT / source) if target.endswith("/") else tree / target
            within.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, within)
    (tree / "models").mkdir()
    (lexicon,) = [line for line in stages()[request.param] if "ln -s" in line]
    subprocess.run(re.search(r"mv \S+ \S+ && ln -s \S+ \S+", lexicon)[0], shell=True, cwd=tree, check=True)  # type: ignore[index]
    for folder in (".venv/bin", ".venv-bot/bin"):
        (tree / folder).mkdir(parents=True)
        (tree / folder / "python").write_text(SHOW)
        (tree / folder / "python").chmod(0o755)
    return tree


def call(tree: Path, *words: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """The image's start with these words."""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tree), **settings}
    return subprocess.run(
        ["sh", START, *words], cwd=tree, env=env, capture_output=True, text=True, check=False, timeout=60
    )


def shown(called: "subprocess.CompletedProcess[str]") -> tuple[list[str], dict[str, str]]:
    """The command the stand-in was called with, and its environment."""
    assert called.returncode == 0, called.stderr
    lines = called.stdout.splitlines()
    variables = dict(
        line.removeprefix("ENV ").split("=", 1) for line in lines if line.startswith("ENV ") and "=" in line
    )
    return [line for line in lines if not line.startswith("ENV ")], variables


def test_nothing_private_is_sent_to_the_build_and_all_that_is_copied_is() -> None:
    assert [path for path in PRIVATE if is_sent(path)] == []
    sources = [source for stage in stages() if stage for source, _ in copied(stage)]
    assert sources
    missing = [source for source in sources if not any(True for _ in _sent_files(source))]
    assert missing == []


def test_no_secret_is_in_a_layer_and_no_image_runs_as_root() -> None:
    for stage in ("app", "bot"):
        lines = stages()[stage]
        told = " ".join(line for line in lines if line.startswith(("ENV", "ARG", "RUN"))).lower()
        assert [name for name in (*NAMES, "password") if name in told] == []
        assert [line for line in lines if line.startswith("USER")] == ["USER 10001:10001"]


def test_what_is_installed_is_locked_by_hash_and_is_what_was_tested() -> None:
    for stage, file in (("app-environment", "app.txt"), ("bot-environment", "bot.txt")):
        (install,) = [line for line in stages()[stage] if "pip install" in line]
        assert "--require-hashes" in install and install.endswith(f"-r requirements/{file}")
        assert "--hash=sha256:" in (ROOT / "requirements" / file).read_text()
    pins = [
        set(re.findall(r"^\S+==[^ ;\\]+", (ROOT / "requirements" / f).read_text(), re.M))
        for f in ("app.txt", "dev.txt")
    ]
    assert pins[0] and pins[0] <= pins[1]


@pytest.mark.parametrize("image", ["app"], indirect=True)
def test_the_app_image_holds_every_file_its_programs_need(image: Path, tmp_path: Path) -> None:
    shutil.copy(image / "products.yml", image / "models" / "products.yml")
    needs = (
        "import web.app, actions.server, jobs.outbox, cli.main, cli.training as t; web.app.create_app();"
        "assert t.GOLDEN.exists() and t.made_of(); from core import migrate; migrate.upgrade()"
    )
    env = {**os.environ, "PYTHONPATH": str(image), "ZHIKE_VAR_DIR": str(tmp_path), "ZHIKE_DATABASE_URL": ""}
    done = subprocess.run(
        [sys.executable, "-c", needs], cwd=image, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (image / "models" / "products.yml").unlink()


@pytest.mark.parametrize("image", ["app"], indirect=True)
def test_set_up_gives_the_brain_the_shipped_lexicon_only_when_there_is_none(image: Path) -> None:
    command, _ = shown(call(image, "setup"))
    assert command[1:] == ["-m", "cli.main", "setup"]
    assert (image / "bot/lexicon/products.yml").read_text() == (ROOT / "bot/lexicon/products.yml").read_text()
    (image / "models" / "products.yml").write_text("product: {}\n")
    call(image, "setup")
    assert (image / "bot/lexicon/products.yml").read_text() == "product: {}\n"


@pytest.mark.parametrize("image", ["bot"], indirect=True)
def test_the_brain_is_started_as_zhike_up_starts_it(image: Path) -> None:
    (image / "models" / "zhike.tar.gz").touch()
    (image / "password").write_text("s3cret")
    given = {
        "ZHIKE_ACTIONS_URL": "http://actions:8055",
        "ZHIKE_DATABASE_URL": "postgresql://zhike:pw@postgres/zhike",
        "ZHIKE_INTERNAL_SECRET_FILE": "password",
    }
    build = dict(re.findall(r"(\w+)=(\S+)", next(line for line in stages()["bot"] if line.startswith("ENV"))))
    command, environment = shown(call(image, "brain", **given, **{k: v for k, v in build.items() if k != "PYTHONPATH"}))
    there = {**given, "ZHIKE_BRAIN_PORT": "8005", "ZHIKE_ACTIONS_PORT": "8055", "ZHIKE_VAR_DIR": "var"}
    local, expected = processes.command("brain", there)
    model = ["--model", str(processes.ROOT / "models/zhike.tar.gz")]
    at = local.index(model[0])
    assert local[at : at + 2] == model
    local[at + 1] = "models/zhike.tar.gz"
    address = local.index("-i") + 1
    assert command[1:] == [*local[1:address], "0.0.0.0", *local[address + 1 :]]
    made = {name: value for name, value in expected.items() if name not in there and name != "ZHIKE_RABBITMQ_URL"}
    assert set(processes.QUIET_BRAIN) | {"ZHIKE_BRAIN_DB", "POSTGRESQL_SCHEMA"} <= set(made)
    assert {name: environment.get(name) for name in made} == made
    assert environment["ZHIKE_RABBITMQ_URL"] == ""
    assert environment["ZHIKE_INTERNAL_SECRET"] == "s3cret"
    files = "".join((ROOT / "bot" / f"{name}.yml").read_text() for name in ("endpoints", "credentials"))
    assert set(re.findall(r"\$\{(\w+)\}", files)) <= set(environment)


def test_a_secret_whose_file_is_missing_stops_the_start(image: Path) -> None:
    called = call(image, "setup", ZHIKE_INTERNAL_SECRET_FILE="/nowhere")
    assert called.returncode != 0
    assert called.stdout == ""


def test_a_process_waits_for_set_up_and_then_starts_as_zhike_up_starts_it(tmp_path: Path) -> None:
    """Really: the script in its place, a database that is migrated while it waits, gunicorn replaced by what shows itself."""
    tree = tmp_path / "zhike"
    shutil.copytree(DEPLOY / "containers", tree / "deploy/containers")
    for package in ("cli", "core", "crm", "helpdesk", "knowledge_base", "channels", "jobs", "migrations"):
        shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__"))
    (tree / ".venv/bin").mkdir(parents=True)
    (tree / ".venv/bin/gunicorn").write_text(SHOW)
    (tree / ".venv/bin/gunicorn").chmod(0o755)
    env = {**os.environ, "PYTHONPATH": str(tree), "ZHIKE_VAR_DIR": str(tmp_path / "var"), "ZHIKE_DATABASE_URL": ""}
    env |= {"ZHIKE_HOST": "0.0.0.0", "ZHIKE_PORT": "8000"}
    command = [sys.executable, "deploy/containers/start.py", "web"]
    with subprocess.Popen(
        command, cwd=tree, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None and process.stdout is not None
        assert "waits for set-up" in process.stderr.readline()
        subprocess.run([sys.executable, "-m", "cli.main", "db", "upgrade"], cwd=tree, env=env, check=True)
        words = [line for line in process.stdout.read().splitlines() if not line.startswith("ENV ")]
    expected, _ = processes.command("web", env)
    assert words[1:] == expected[1:]


def test_the_secret_files_are_made_once_and_are_all_that_compose_asks_for(tmp_path: Path) -> None:
    script = ["sh", str(DEPLOY / "containers/secrets.sh"), str(tmp_path / "secrets")]
    subprocess.run(script, check=True)
    made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    subprocess.run(script, check=True)
    assert {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()} == made
    asked = {Path(secret["file"]).name for secret in compose()["secrets"].values()}
    assert asked - set(made) == {"tls.crt", "tls.key"}
    assert len(made["internal_secret"]) == 64 and made["internal_secret"] != made["secret_key"]
    assert made["postgres_password"] in made["database_url"]
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
