"""Starts workers with what the deployment says (code, Lambda layers, role, environment), at the sandbox's time."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from ecr_steward_sandbox.clock import SandboxClock
from ecr_steward_sandbox.delivery.wiring import FunctionConfig
from ecr_steward_sandbox.workers.artefacts import install_launcher, install_runtime_client, merge_layers
from ecr_steward_sandbox.workers.pool import WorkerPool, worker_command, worker_environment
from ecr_steward_sandbox.workers.worker import Worker


class WorkerFactory:
    """Makes the pools of all functions. Everything is below `folder`."""

    def __init__(
        self,
        folder: Path,
        *,
        credentials: Callable[[FunctionConfig], Mapping[str, str]],
        endpoint_url: Callable[[], str],
        clock: SandboxClock,
    ) -> None:
        """`credentials(function)` are the environment variables of its role; asked anew for each worker."""
        self._folder = folder
        self._credentials = credentials
        self._endpoint_url = endpoint_url
        self._clock = clock
        self._runtime_client = install_runtime_client(folder / "runtime_client")
        self._launcher = install_launcher(folder / "launcher")
        self._opt_folders: dict[tuple[Path, ...], Path] = {}
        self._merging = threading.Lock()
        self._numbers = itertools.count(1)

    def pool_of(self, config: FunctionConfig) -> WorkerPool:
        """The workers of one function."""
        self._opt(config.layers)
        return WorkerPool(config, self._start)

    def _start(self, config: FunctionConfig) -> Worker:
        scratch = self._folder / f"tmp-{config.logical_id}-{next(self._numbers)}"
        scratch.mkdir()
        environment = worker_environment(
            config,
            opt=self._opt(config.layers),
            runtime_client=self._runtime_client,
            endpoint_url=self._endpoint_url(),
            credentials=self._credentials(config),
        )
        offset = self._clock.offset
        command = worker_command(config.handler, self._launcher, offset)
        return Worker(
            command, environment, folder=config.code, scratch=scratch, now=lambda: self._clock.time_at(offset)
        )

    def _opt(self, layers: tuple[Path, ...]) -> Path:
        with self._merging:
            if layers not in self._opt_folders:
                opt = self._folder / f"opt-{len(self._opt_folders) + 1}"
                self._opt_folders[layers] = merge_layers(layers, opt)
            return self._opt_folders[layers]
