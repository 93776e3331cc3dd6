"""Secrets that nobody set are made once and kept in ``var_dir/secrets.json`` (mode 0600)."""

import json
import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.settings import Settings

NAMES = ("secret_key", "customer_token_secret", "internal_secret")


def fill(settings: "Settings") -> "Settings":
    """The settings with every empty secret replaced by the kept one; makes the file when it is missing."""
    if all(getattr(settings, name) for name in NAMES):
        return settings
    path = settings.var_dir / "secrets.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        made = json.dumps({name: secrets.token_urlsafe(48) for name in NAMES})
        temporary = path.with_suffix(f".{os.getpid()}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(made)
        try:
            os.link(temporary, path)  # the first of several starting processes wins; nobody reads half a file
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    kept = json.loads(path.read_text())
    return settings.model_copy(update={n: getattr(settings, n) or kept[n] for n in NAMES})
