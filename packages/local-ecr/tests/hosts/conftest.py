"""A server of its own for each test, with options of LocalEcrServer when asked."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from local_ecr import LocalEcr, LocalEcrServer

Serve = Callable[..., LocalEcrServer]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(public_host: str = "127.0.0.1", **options: Any) -> LocalEcrServer:
            ecr = LocalEcr(tmp_path / "ecr", public_host=public_host)
            return stack.enter_context(LocalEcrServer(ecr, **options))

        yield start


@pytest.fixture
def server(serve: Serve) -> LocalEcrServer:
    """Of the default account's registries in us-east-1 and eu-west-1."""
    return serve()
