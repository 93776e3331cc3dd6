"""Nothing here touches this machine's installation."""

import os
from collections.abc import Iterator

import pytest

from core import settings


@pytest.fixture(autouse=True, scope="module")
def _own_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    kept = dict(os.environ)
    os.environ.update(ZHIKE_VAR_DIR=str(tmp_path_factory.mktemp("var")), ZHIKE_DATABASE_URL="")
    settings.load.cache_clear()
    yield
    os.environ.clear()
    os.environ.update(kept)
    settings.load.cache_clear()
