"""Pools of workers for functions that a test writes down."""

import contextlib
import itertools
import json
import textwrap
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ecr_steward_sandbox.delivery.wiring import FunctionConfig
from ecr_steward_sandbox.workers.artefacts import install_launcher, install_runtime_client, merge_layers
from ecr_steward_sandbox.workers.pool import WorkerPool, worker_command, worker_environment
from ecr_steward_sandbox.workers.worker import Outcome, Worker

MEETS_ANOTHER = """
    import os, pathlib, time
    def lambda_handler(event, context):
        place = pathlib.Path(event)
        (place / str(os.getpid())).touch()
        deadline = time.monotonic() + 10
        while len(list(place.iterdir())) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        return {"pid": os.getpid(), "met": len(list(place.iterdir())) == 2}
"""


class Function:
    """A function at work."""

    def __init__(self, config: FunctionConfig, pool: WorkerPool) -> None:
        self.config = config
        self.pool = pool

    def invoke(self, event: Any = None, request_id: str = "request-1") -> tuple[Any, Outcome]:
        """Run it; the answer parsed, and the whole outcome."""
        outcome = self.pool.invoke(json.dumps(event).encode(), request_id)
        return json.loads(outcome.payload), outcome


@pytest.fixture(scope="session")
def runtime_client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runtime client in a folder of its own."""
    return install_runtime_client(tmp_path_factory.mktemp("runtime") / "client")


@pytest.fixture(scope="session")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What starts a worker ahead of real time."""
    return install_launcher(tmp_path_factory.mktemp("runtime") / "launcher")


@pytest.fixture
def function(tmp_path: Path, runtime_client: Path, launcher: Path) -> Iterator[Callable[..., Function]]:
    """Makes a function of source code; its workers end with the test."""
    numbers = itertools.count()

    with contextlib.ExitStack() as stack:

        def make(
            source: str, *, layers: tuple[Path, ...] = (), ahead: timedelta = timedelta(), **properties: Any
        ) -> Function:
            code = tmp_path / f"code-{next(numbers)}"
            code.mkdir()
            (code / "app.py").write_text(textwrap.dedent(source))
            config = FunctionConfig(
                logical_id="Tested",
                name="stack-Tested-1",
                arn="arn:aws:lambda:us-east-1:111122223333:function:stack-Tested-1",
                role_arn="arn:aws:iam::111122223333:role/tested",
                handler=properties.pop("handler", "app.lambda_handler"),
                code=code,
                layers=layers,
                **properties,
            )
            opt = merge_layers(layers, tmp_path / f"opt-{next(numbers)}")

            def start(config: FunctionConfig) -> Worker:
                scratch = tmp_path / f"scratch-{next(numbers)}"
                scratch.mkdir()
                environment = worker_environment(
                    config,
                    opt=opt,
                    runtime_client=runtime_client,
                    endpoint_url="http://127.0.0.1:1",
                    credentials={"AWS_ACCESS_KEY_ID": "key"},
                )
                command = worker_command(config.handler, launcher, ahead)
                return Worker(
                    command,
                    environment,
                    folder=config.code,
                    scratch=scratch,
                    now=lambda: time.time() + ahead.total_seconds(),
                )

            pool = WorkerPool(config, start)
            stack.callback(pool.close)
            return Function(config, pool)

        yield make


@pytest.fixture
def meets_another() -> str:
    """Source of a function that waits in a folder, its event, until another worker is there, too."""
    return MEETS_ANOTHER
