"""Every name in deploy/ is one the project knows, and what depends on each other agrees."""

import ast
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from cli import processes
from cli.main import app as program
from core import db
from core.secrets import NAMES
from core.settings import Settings
from tests.deploy.files import (
    DEPLOY,
    PORTS,
    ROOT,
    compose,
    container,
    manifests,
    objects,
    our_services,
    pod,
    routes,
    stages,
    workloads,
)
from web.api.customer import WAIT_MOST_SECONDS

PROCESSES = ("web", "worker", "brain", "actions")


def _texts() -> Iterator[tuple[str, str]]:
    for path in sorted(DEPLOY.rglob("*")):
        if path.is_file() and "secrets" not in path.relative_to(DEPLOY).parts:
            yield str(path.relative_to(DEPLOY)), path.read_text(encoding="utf-8")


# Names


def test_every_variable_named_is_a_setting_or_one_the_brain_reads() -> None:
    known = {f"ZHIKE_{name.upper()}" for name in Settings.model_fields}
    brain = "".join((ROOT / "bot" / f"{name}.yml").read_text() for name in ("endpoints", "credentials"))
    known |= set(re.findall(r"\$\{(ZHIKE_\w+)\}", brain))
    named = {
        (file, name.removesuffix("_FILE")) for file, text in _texts() for name in re.findall(r"\bZHIKE_[A-Z_]+\b", text)
    }
    assert len(named) > 20
    assert sorted(one for one in named if one[1] not in known) == []


def test_the_settings_given_are_ones_the_program_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    given = [service["environment"] for service in our_services().values()]
    given += [objects("ConfigMap")["settings"]["data"], objects("Secret")["secrets"]["stringData"]]
    given.append(
        dict(line.split("=", 1) for line in (DEPLOY / "zhike.env").read_text().splitlines() if line[:1] == "Z")
    )
    for values in given:
        with monkeypatch.context() as patch:
            for name, value in values.items():
                patch.setenv(name, str(value))
            assert Settings(_env_file=None)  # type: ignore[call-arg]


def _commands(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        for found in re.findall(r"(?:(?<=[\s`(/])|^)(?<!-[nU] )zhike((?: [a-z][a-z-]*)+)", line):
            yield found.split()


def test_every_command_named_exists() -> None:
    book = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    quoted = re.findall(r"```sh\n(.*?)```|`([^`\n]+)`", book, re.S)
    texts = [text for _, text in _texts()] + [part for pair in quoted for part in pair]
    texts = [re.sub(r"python -m cli\.main", " zhike", text) for text in texts]
    found = [words for text in texts for words in _commands(text)]
    assert ["setup"] in found and ["backup"] in [words[:1] for words in found]
    top = typer.main.get_command(program)
    unknown = []
    for words in found:
        here: Any = top
        for word in words:
            here = here.commands.get(word) if hasattr(here, "commands") else here
            if here is None:
                unknown.append(words)
                break
    assert unknown == []


@pytest.mark.parametrize("name", PROCESSES)
def test_ports_and_probes_are_those_the_processes_have(name: str) -> None:
    runs = container(name)
    assert [port["containerPort"] for port in runs["ports"]] == [PORTS[name]]
    known = {"brain": {processes._SIGNS["brain"]}, "actions": {processes._SIGNS["actions"]}}.get(name, routes())
    probes = {kind: runs[f"{kind}Probe"] for kind in ("startup", "readiness", "liveness")}
    asked = {probe["httpGet"]["path"] for probe in probes.values() if "httpGet" in probe}
    assert asked and asked <= known
    for service_name, service in our_services().items():
        if service["command"] == [name]:
            (url,) = re.findall(r"http://127\.0\.0\.1:(\d+)([^']+)", " ".join(service["healthcheck"]["test"]))
            assert int(url[0]) == PORTS[name], service_name
            assert url[1] in known


def test_the_page_stays_when_the_bot_is_away() -> None:
    """/readyz is 503 then; whoever took web off for that would take the queue for people off as well."""
    assert container("web")["readinessProbe"]["httpGet"]["path"] == "/healthz"
    assert "readyz" not in " ".join(our_services()["web-1"]["healthcheck"]["test"])
    assert container("worker")["readinessProbe"]["httpGet"]["path"] == "/readyz"  # what the alert looks at
    assert "readyz" in " ".join(our_services()["worker"]["healthcheck"]["test"])


# What agrees


def test_each_brain_is_named_to_web_and_the_ports_are_right() -> None:
    data = objects("ConfigMap")["settings"]["data"]
    replicas = workloads()["brain"]["spec"]["replicas"]
    assert data["ZHIKE_BRAIN_URLS"].split(",") == [f"http://brain-{n}.brain:{PORTS['brain']}" for n in range(replicas)]
    assert objects("Service")["brain"]["spec"]["clusterIP"] == "None"
    brains = [name for name, service in our_services().items() if service["command"] == ["brain"]]
    given = our_services()["web-1"]["environment"]
    assert given["ZHIKE_BRAIN_URLS"].split(",") == [f"http://{name}:{PORTS['brain']}" for name in brains]
    assert given["ZHIKE_ACTIONS_URL"] == data["ZHIKE_ACTIONS_URL"] == f"http://actions:{PORTS['actions']}"
    for name in ("actions-1", "actions-2"):
        assert "actions" in our_services()[name]["networks"]["inside"]["aliases"]


def test_two_of_each_run_and_one_at_a_time_may_be_missing() -> None:
    for name in PROCESSES:
        assert workloads()[name]["spec"]["replicas"] >= 2
        budget = objects("PodDisruptionBudget")[name]["spec"]
        assert budget["maxUnavailable"] == 1
        assert budget["selector"]["matchLabels"] == workloads()[name]["spec"]["template"]["metadata"]["labels"]
        started = [s for s in our_services().values() if s["command"] == [name]]
        assert sum(s.get("deploy", {}).get("replicas", 1) for s in started) >= 2


def _seconds(text: str) -> int:
    return int(text.removesuffix("s"))


def test_a_process_that_is_told_to_end_has_time_for_what_is_under_way() -> None:
    words, _ = processes.command("web", {"ZHIKE_PORT": "1"})
    gunicorn = int(words[words.index("--graceful-timeout") + 1])
    turn = Settings.model_fields["brain_timeout_seconds"].default
    for name, least in (("web", gunicorn), ("worker", gunicorn), ("brain", turn), ("actions", turn)):
        pause = int(container(name)["lifecycle"]["preStop"]["exec"]["command"][1])
        assert pod(name)["terminationGracePeriodSeconds"] >= pause + least
        for service in our_services().values():
            if service["command"] == [name]:
                assert _seconds(service["stop_grace_period"]) > least


def test_postgresql_takes_as_many_connections_as_all_processes_may_open() -> None:
    engine = db.make_engine("postgresql://nobody@nowhere/none")
    pool: Any = engine.pool
    each = pool.size() + pool._max_overflow
    count = {"app": 0, "bot": 0}
    for service in our_services().values():
        count[service["image"].removeprefix("zhike-")] += service.get("deploy", {}).get("replicas", 1)
    allowed = int(re.search(r"max_connections=(\d+)", " ".join(compose()["services"]["postgres"]["command"]))[1])  # type: ignore[index]
    of_a_brain = sum(int(n) for n in re.findall(r"\bSQL_(?:POOL_SIZE|MAX_OVERFLOW)=(\d+)", " ".join(stages()["bot"])))
    assert of_a_brain and count["app"] * each + count["bot"] * of_a_brain < allowed


def test_web_is_given_every_secret_so_that_none_makes_its_own() -> None:
    wanted = {f"ZHIKE_{name.upper()}" for name in NAMES} | {"ZHIKE_DATABASE_URL"}
    for name, service in our_services().items():
        if service["image"] == "zhike-app":
            given = {
                v.removesuffix("_FILE"): Path(path).name
                for v, path in service["environment"].items()
                if v.endswith("_FILE")
            }
            assert wanted <= set(given), name
            assert set(given.values()) <= set(service["secrets"]) <= set(compose()["secrets"])
    assert wanted <= set(objects("Secret")["secrets"]["stringData"])


def test_what_all_machines_must_see_is_on_a_common_volume() -> None:
    for name in ("web", "worker", "setup"):
        mounts = {m["mountPath"]: m["name"] for m in container(name)["volumeMounts"]}
        assert mounts["/srv/zhike/var"] == "var" and mounts["/srv/zhike/models"] == "models"
    assert all(c["spec"]["accessModes"] == ["ReadWriteMany"] for c in objects("PersistentVolumeClaim").values())
    for name, service in our_services().items():
        assert any(volume.startswith("models:/srv/zhike/models") for volume in service["volumes"]), name


def _calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr, node


@pytest.mark.parametrize(
    "file", sorted((ROOT / "migrations" / "versions").glob("[0-9]*.py")), ids=lambda path: path.stem
)
def test_migrations_only_add_so_that_older_processes_go_on_beside_them(file: Path) -> None:
    """The order of an upgrade without a pause (docs/operations.md) stands on this."""
    (upgrade,) = [n for n in ast.parse(file.read_text()).body if isinstance(n, ast.FunctionDef) and n.name == "upgrade"]
    calls = list(_calls(upgrade))
    assert [name for name, _ in calls if name.startswith(("drop_", "rename_")) or name == "alter_column"] == []
    for name, call in calls:
        if name == "add_column":  # an older process stores rows without it
            column = ast.unparse(call.args[-1])
            assert "nullable=False" not in column or "server_default=" in column, column


# Safety


def test_every_pod_runs_without_rights_on_a_read_only_root() -> None:
    for name in workloads():
        assert pod(name)["securityContext"]["runAsNonRoot"] is True
        security = container(name)["securityContext"]
        assert security["readOnlyRootFilesystem"] is True
        assert security["allowPrivilegeEscalation"] is False
        assert security["capabilities"] == {"drop": ["ALL"]}
        limits = container(name)["resources"]["limits"]
        assert limits["memory"] and limits["cpu"]
        assert pod(name)["enableServiceLinks"] is False  # a Service "zhike" would set ZHIKE_PORT to an address
    for name, service in our_services().items():
        assert service["read_only"] and service["cap_drop"] == ["ALL"], name
    for name, service in compose()["services"].items():
        assert service["deploy"]["resources"]["limits"]["memory"], name


def test_only_nginx_is_published_and_brain_and_actions_are_reached_from_inside_only() -> None:
    assert [name for name, service in compose()["services"].items() if "ports" in service] == ["nginx"]
    policies = objects("NetworkPolicy")
    assert policies["nobody-may"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress"]}
    for target, callers in (("brain", {"web", "worker"}), ("actions", {"web", "worker", "brain"})):
        rules = [
            p["spec"]["ingress"]
            for p in policies.values()
            if p["spec"]["podSelector"].get("matchLabels") == {"app": target}
        ]
        (((rule,),),) = (rules,)
        (source,) = rule["from"]
        assert set(source["podSelector"]["matchExpressions"][0]["values"]) == callers
        assert rule["ports"] == [{"port": PORTS[target]}]
    backends = [
        path["backend"]["service"]["name"]
        for rule in objects("Ingress")["web"]["spec"]["rules"]
        for path in rule["http"]["paths"]
        if path["path"] in {"/", "/metrics", "/readyz"}
    ]
    assert backends == ["web", "nobody", "nobody"]
    assert all(service["spec"].get("type", "ClusterIP") == "ClusterIP" for service in objects("Service").values())


def test_the_secret_is_a_template_and_nobody_is_put_to_work_with_it() -> None:
    values = objects("Secret")["secrets"]["stringData"].values()
    assert all("CHANGE-ME" in value for value in values)
    kept = (DEPLOY / ".gitignore").read_text().split()
    assert "secrets/" in kept


def test_kustomize_takes_every_manifest_and_every_image() -> None:
    kustomization = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())
    there = {path.name for path in (DEPLOY / "kubernetes").glob("*.yaml")} - {"kustomization.yaml"}
    assert set(kustomization["resources"]) == there
    assert {image["name"] for image in kustomization["images"]} == {container(name)["image"] for name in workloads()}
    assert {container(name)["image"].removeprefix("zhike-") for name in workloads()} <= set(stages())
    claims = {
        volume["persistentVolumeClaim"]["claimName"]
        for name in workloads()
        for volume in pod(name)["volumes"]
        if "persistentVolumeClaim" in volume
    }
    assert claims == set(objects("PersistentVolumeClaim"))
    assert all(one["metadata"].get("namespace") is None for one in manifests())


# nginx

CONF = DEPLOY / "nginx" / "zhike.conf"


def _directive(name: str) -> list[str]:
    return re.findall(rf"^\s*{name}\s+(.*?);", CONF.read_text(encoding="utf-8"), re.M)


def test_nginx_lets_through_pictures_long_polls_and_sockets_and_says_who_called() -> None:
    assert (
        int(_directive("client_max_body_size")[0].removesuffix("m")) * 1024**2
        > Settings.model_fields["upload_max_bytes"].default
    )
    assert _seconds(_directive("proxy_read_timeout")[0]) > WAIT_MOST_SECONDS
    headers = dict(line.split(None, 1) for line in _directive("proxy_set_header"))
    assert headers["X-Forwarded-For"] == "$remote_addr" and headers["X-Forwarded-Proto"] == "$scheme"
    assert headers["Upgrade"] == "$http_upgrade" and headers["Connection"] == "$connection_upgrade"
    text = CONF.read_text(encoding="utf-8")
    for route in ("/metrics", "/readyz"):
        assert re.search(rf"location = {route}\s+\{{ allow 127\.0\.0\.1; deny all;", text)
        assert route in routes()
    assert "$request " not in text and "$args" not in text  # pictures' signatures stay out of the log


def test_nginx_knows_every_web_process_under_an_address_that_stays() -> None:
    nginx = compose()["services"]["nginx"]
    fixed = dict(entry.split(":") for entry in nginx["extra_hosts"])
    webs = {n: s["networks"]["inside"]["ipv4_address"] for n, s in our_services().items() if s["command"] == ["web"]}
    assert fixed == webs
    assert {server.split()[0] for server in _directive("server")} == {f"{name}:{PORTS['web']}" for name in webs}
    secrets = {secret["target"] for secret in nginx["secrets"]}
    assert secrets == {*_directive("ssl_certificate"), *_directive("ssl_certificate_key")}


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed here (apt: nginx)")
def test_nginx_takes_the_configuration(tmp_path: Path) -> None:
    key, certificate = tmp_path / "tls.key", tmp_path / "tls.crt"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=kefu.example.com", "-days", "1"]
    subprocess.run([*make, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    text = (
        CONF.read_text(encoding="utf-8")
        .replace("/etc/nginx/tls", str(tmp_path))
        .replace("/var/log/nginx", str(tmp_path))
    )
    text = re.sub(r"web-\d:", "127.0.0.1:", text)  # names are looked up when it is read
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = " ".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in kinds)
    whole = f"pid {tmp_path}/pid; error_log {tmp_path}/error.log; events {{}} http {{ {folders} {text} }}"
    (tmp_path / "nginx.conf").write_text(whole)
    command = ["nginx", "-t", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
