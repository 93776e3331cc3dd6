"""What the tools that read deploy/ would refuse, without those tools and without the network: published schemas."""

import subprocess
import sys
from typing import Any

import kubernetes_validate
import pytest

from tests.deploy.files import DEPLOY, manifests

VERSION = kubernetes_validate.latest_version()


def test_compose_would_take_the_file() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*command, str(DEPLOY / "compose.yaml")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("manifest", manifests(), ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_kubernetes_would_take_every_object_and_knows_every_field(manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, VERSION, strict=True)
