"""Writes .env.example from core/settings.py: every setting with its sentence and its default. ``--check`` only compares."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from core.settings import Settings  # noqa: E402

HEAD = """\
# Settings of 知客 Zhike. Copy to .env and take the # away where another value is wanted; the environment goes before .env.
# Made from core/settings.py by scripts/env_example.py: change it there.
"""


def text() -> str:
    """What .env.example holds."""
    parts = [HEAD]
    for name, field in Settings.model_fields.items():
        value = field.default
        if isinstance(value, bool):
            shown = str(value).lower()
        elif isinstance(value, Path):
            shown = str(value.relative_to(ROOT)) if value.is_relative_to(ROOT) else str(value)
        else:
            shown = str(value)
        if "'" in shown or "#" in shown:
            shown = f'"{shown}"'
        parts.append(f"# {field.description}\n#ZHIKE_{name.upper()}={shown}\n")
    return "\n".join(parts)


def main() -> None:
    """Writes, or compares."""
    target = ROOT / ".env.example"
    if "--check" in sys.argv[1:]:
        if not target.exists() or target.read_text() != text():
            sys.exit(".env.example is not what core/settings.py says; run: .venv/bin/python scripts/env_example.py")
        return
    target.write_text(text())


if __name__ == "__main__":
    main()
