"""The workers of one function: started when needed, kept warm, at most so many at a time."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

from ecr_steward_sandbox.delivery.wiring import FunctionConfig
from ecr_steward_sandbox.workers.worker import Outcome, Worker

MAX_WORKERS = max(2, os.cpu_count() or 1)  # per function: a laptop is no region
PATIENCE_SECONDS = 0.1  # for a worker to become free before another is started: imports cost a second of a processor
MAX_AGE_SECONDS = 3600.0  # Lambda replaces its environments within hours; the credentials of a worker live for twelve
CLOSING_SECONDS = 10.0


class WorkerPoolClosedError(RuntimeError):
    """The sandbox is ending; nothing is invoked any more."""


class WorkerPool:
    """Invokes one function. `start` makes a worker for the function as it is configured then."""

    def __init__(self, config: FunctionConfig, start: Callable[[FunctionConfig], Worker]) -> None:
        self._config = config
        self._start = start
        self._free = threading.BoundedSemaphore(MAX_WORKERS)
        self._changed = threading.Condition()
        self._all: set[Worker] = set()
        self._warm: list[Worker] = []
        self._outdated: set[Worker] = set()  # busy ones that are not to be used again
        self._is_closed = False

    def invoke(self, payload: bytes, request_id: str) -> Outcome:
        """Handle one event in a warm worker if there is one, else in a new one. Waits while all are busy."""
        with self._free, self._borrowed() as worker:
            config = self._config
            return worker.invoke(payload, request_id=request_id, function_arn=config.arn, timeout=config.timeout)

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers that live."""
        with self._changed:
            return [worker.pid for worker in self._all if not worker.is_dead]

    def restart(self, config: FunctionConfig) -> None:
        """From now on start workers for `config`; see ``replaced_workers``."""
        with self.replaced_workers():
            self._config = config

    @contextlib.contextmanager
    def replaced_workers(self) -> Iterator[None]:
        """For the length of a with block no invocation begins; those that begin afterwards get new workers.

        Invocations under way finish in the workers that they have, which end then. The block is to be a short one.
        """
        with self._changed:
            yield
            idle, self._warm = self._warm, []
            self._all.difference_update(idle)
            self._outdated = set(self._all)
        for worker in idle:
            worker.close()

    def close(self) -> None:
        """Kill all workers; invocations under way end with an error."""
        with self._changed:
            self._is_closed = True
            warm, self._warm = self._warm, []
            busy = self._all.difference(warm)
            self._all.difference_update(warm)
        for worker in warm:
            worker.close()
        for worker in busy:
            worker.kill()
        with self._changed:
            if not self._changed.wait_for(lambda: not self._all, CLOSING_SECONDS):
                raise TimeoutError(f"workers of {self._config.logical_id} did not end in {CLOSING_SECONDS:g} s")

    @contextlib.contextmanager
    def _borrowed(self) -> Iterator[Worker]:
        worker = self._take()
        try:
            yield worker
        finally:
            self._give_back(worker)

    def _take(self) -> Worker:
        with self._changed:
            if self._all and not self._warm:
                self._changed.wait_for(lambda: self._warm or self._is_closed, PATIENCE_SECONDS)
            if self._is_closed:
                raise WorkerPoolClosedError(self._config.logical_id)
            # The one used last first: its caches are warm too.
            worker = self._warm.pop() if self._warm else self._start(self._config)
            self._all.add(worker)
            if worker.age > MAX_AGE_SECONDS:
                self._outdated.add(worker)
        if not worker.is_dead and worker not in self._outdated:
            return worker
        self._give_back(worker)
        return self._take()

    def _give_back(self, worker: Worker) -> None:
        with self._changed:
            if not worker.is_dead and not self._is_closed and worker not in self._outdated:
                self._warm.append(worker)
                self._changed.notify_all()
                return
        worker.close()
        with self._changed:
            self._all.discard(worker)
            self._outdated.discard(worker)
            self._changed.notify_all()


def worker_command(handler: str, launcher: Path, offset: timedelta = timedelta()) -> list[str]:
    """The runtime client without site packages. The bytecode that the build made is used, and none is written.

    The launcher, which brings time-machine along, has a part in it only where the time is not the real one.
    """
    python = [sys.executable, "-S", "-B"]
    if not offset:
        return [*python, "-m", "awslambdaric", handler]
    return [*python, str(launcher), str(offset.total_seconds()), handler]


def worker_environment(
    config: FunctionConfig,
    *,
    opt: Path,
    runtime_client: Path,
    endpoint_url: str,
    credentials: Mapping[str, str],
) -> dict[str, str]:
    """What Lambda sets, and nothing of this machine's environment.

    Two differences from Lambda: values that start with /opt/ point to the merged Lambda layers, since a process without
    root cannot mount there; and TMPDIR (set by Worker) is the worker's own folder, since /tmp is shared here.
    """
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site_packages = opt / "python" / "lib" / python / "site-packages"
    path = [config.code, *([site_packages] if site_packages.is_dir() else []), opt / "python", runtime_client]
    own = {
        name: f"{opt}/{value.removeprefix('/opt/')}" if value.startswith("/opt/") else value
        for name, value in config.environment.items()
    }
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": ":".join(map(str, path)),
        "LAMBDA_TASK_ROOT": str(config.code),
        "LAMBDA_RUNTIME_DIR": str(runtime_client),
        "_HANDLER": config.handler,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{python}",
        "AWS_REGION": config.region,
        "AWS_DEFAULT_REGION": config.region,
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_LAMBDA_FUNCTION_NAME": config.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.memory),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": config.log_group or f"/aws/lambda/{config.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "sandbox",
        **credentials,
        **own,
    }
