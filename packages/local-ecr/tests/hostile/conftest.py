"""One server for a module of attacks."""

from collections.abc import Iterator

import pytest

from tests.hostile.victim import Victim, attacked


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    """It is checked when the module is over: it still serves, nothing failed inside, every file is in its folder."""
    with attacked(tmp_path_factory.mktemp("hostile")) as one:
        yield one
