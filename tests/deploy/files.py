"""Reads what lies in deploy/ the way the tools do that will run it."""

import fnmatch
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from core.settings import Settings
from web.app import create_app

ROOT = Path(__file__).resolve().parent.parent.parent
DEPLOY = ROOT / "deploy"
OURS = {"zhike-app", "zhike-bot"}
PORTS = {
    name: Settings.model_fields[setting].default
    for name, setting in (("web", "port"), ("worker", "port"), ("brain", "brain_port"), ("actions", "actions_port"))
}


@cache
def routes() -> set[str]:
    """Every route of web."""
    return {rule.rule for rule in create_app().url_map.iter_rules()}


@cache
def compose() -> dict[str, Any]:
    """compose.yaml, its anchors resolved."""
    return dict(yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8")))


@cache
def our_services() -> dict[str, dict[str, Any]]:
    """Its services that run our images."""
    return {name: service for name, service in compose()["services"].items() if service["image"] in OURS}


@cache
def manifests() -> list[dict[str, Any]]:
    """All objects of deploy/kubernetes but the kustomization."""
    found: list[dict[str, Any]] = []
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        if path.name != "kustomization.yaml":
            found += [one for one in yaml.safe_load_all(path.read_text(encoding="utf-8")) if one]
    return found


def objects(kind: str) -> dict[str, dict[str, Any]]:
    """Those of a kind, by name."""
    return {one["metadata"]["name"]: one for one in manifests() if one["kind"] == kind}


@cache
def workloads() -> dict[str, dict[str, Any]]:
    """Everything that runs pods, by name."""
    return {**objects("Deployment"), **objects("StatefulSet"), **objects("Job")}


def pod(name: str) -> dict[str, Any]:
    """A workload's pod."""
    return dict(workloads()[name]["spec"]["template"]["spec"])


def container(name: str) -> dict[str, Any]:
    """A workload's only container."""
    (found,) = pod(name)["containers"]
    return dict(found)


@cache
def stages() -> dict[str, list[str]]:
    """The Containerfile's instructions by stage, continued lines joined."""
    text = re.sub(r"\\\n\s*", "", (DEPLOY / "containers" / "Containerfile").read_text(encoding="utf-8"))
    found: dict[str, list[str]] = {}
    stage = ""
    for line in text.splitlines():
        begins = re.match(r"FROM \S+ AS (\S+)", line)
        if begins:
            stage = begins[1]
        elif line and not line.startswith("#"):
            found.setdefault(stage, []).append(line)
    return found


def copied(stage: str) -> Iterator[tuple[str, str]]:
    """What a stage copies from the checkout, and to where."""
    for line in stages()[stage]:
        if line.startswith("COPY ") and "--from=" not in line:
            *sources, target = line.split()[1:]
            for source in sources:
                yield source, target


@cache
def _ignore_rules() -> tuple[str, ...]:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    return tuple(line.rstrip("/") for line in lines if line and not line.startswith("#"))


def is_sent(path: str) -> bool:
    """Whether a file of the checkout (``a/b.py``) is sent to the build: the last rule of .dockerignore that fits decides."""
    folders = ["/".join(path.split("/")[: n + 1]) for n in range(path.count("/") + 1)]
    sent = True
    for rule in _ignore_rules():
        pattern = rule.removeprefix("!")
        if any(_fits(folder, pattern) for folder in folders):
            sent = rule.startswith("!")
    return sent


def _fits(path: str, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return fnmatch.fnmatch(path.rsplit("/", 1)[-1], pattern.removeprefix("**/"))
    return path.count("/") == pattern.count("/") and fnmatch.fnmatch(path, pattern)
