"""Registries behind bad lines."""

from collections.abc import Iterator

import pytest

from lab.client_matrix.registry import Registry
from local_ecr import Quirks
from tests.faults.places import World, distribution, impatient, local_ecr


@pytest.fixture(scope="session")
def ecr(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with local_ecr(tmp_path_factory.mktemp("ecr"), Quirks()) as registry:
        yield registry


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with local_ecr(tmp_path_factory.mktemp("plain"), Quirks.none()) as registry:
        yield f"http://{registry.host}"


@pytest.fixture(scope="session")
def cncf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with distribution(tmp_path_factory.mktemp("distribution")) as url:
        yield url


@pytest.fixture(scope="session")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    transport = impatient()

    def at(kind: str) -> str:
        found = request.getfixturevalue(kind)
        return f"http://{found.host}" if isinstance(found, Registry) else str(found)

    yield World(at, tmp_path_factory.mktemp("folders"), transport, lambda: request.getfixturevalue("ecr"))
    transport.close()
