"""``python -m bot.serving.run …``: an ordinary ``rasa …`` that does without TensorFlow, when nothing in config.yml needs it, and
without the clients of databases that are not ours.

Rasa imports them, with all that they bring along, wherever its own classifiers and stores might be; that is half of the start and
a third of the memory. Here the names are found empty. ``ZHIKE_BRAIN_SLOW=tensorflow`` imports them as ever.
"""

import importlib.abc
import importlib.machinery
import sys
import types
from pathlib import Path
from typing import Any, Optional, Sequence

import yaml

from bot.serving import switches

CONFIG = Path(__file__).resolve().parents[2] / "config.yml"
TENSORFLOW = ("tensorflow", "tensorflow_addons", "tensorflow_hub", "keras", "jax", "matplotlib", "tensorboard")
UNUSED = ("pymongo", "boto3", "botocore", "spacy.cli")
NEED_NOTHING = {"RulePolicy", "MemoizationPolicy"}


class _Kind(type):
    """What is taken from an empty module may be taken further."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing


class Nothing(metaclass=_Kind):
    """Stands for any name of an empty module: a base class, a decorator, a type. Nothing is ever computed with it."""

    def __init__(self, *_args: Any, **_more: Any) -> None:
        """Of whatever it is made."""


class Never(Exception):
    """Stands for an error of an empty module: it may be caught, and is never raised."""


class Empty(types.ModuleType):
    """A module in which every name is there."""

    __path__: Sequence[str] = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Never if name.endswith(("Error", "Failure")) else Nothing


class Leaver(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds UNUSED empty, and TENSORFLOW too; while ``missing``, that is not found at all."""

    missing = True

    def find_spec(self, name: str, _path: Any, _target: Any = None) -> Optional[importlib.machinery.ModuleSpec]:
        """Ours, for these names and what is below them. Raises ModuleNotFoundError."""
        if _is_of(name, TENSORFLOW) and self.missing:
            raise ModuleNotFoundError(name)
        if not _is_of(name, TENSORFLOW + UNUSED):
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> Empty:
        """An empty one."""
        return Empty(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """There is nothing to run."""


def _is_of(name: str, packages: Sequence[str]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def needs_tensorflow(config: Path = CONFIG) -> bool:
    """Whether a component that is not ours might need it."""
    told = yaml.safe_load(config.read_text(encoding="utf-8"))
    names = {component["name"] for part in ("pipeline", "policies") for component in told.get(part) or ()}
    return any(not name.startswith("bot.") for name in names - NEED_NOTHING)


def main() -> None:
    """Runs Rasa's command line."""
    if "tensorflow" not in switches.off() and not needs_tensorflow():
        leaver = Leaver()
        sys.meta_path.insert(0, leaver)
        import spacy  # noqa: F401 – asks for it and gets along without; Rasa's modules do not

        leaver.missing = False
    from rasa.__main__ import main as rasa

    sys.argv[0] = "rasa"
    rasa()


if __name__ == "__main__":
    main()
