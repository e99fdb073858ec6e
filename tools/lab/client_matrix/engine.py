"""A Docker engine of our own, whose loopback the tests step into: there it and their registries reach each other."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from sam_local import engine as sam_engine

WITH_DOCKER = Path(sam_engine.__file__).parent / "with_docker.sh"
START_TIMEOUT = 60.0  # seconds
STOP_TIMEOUT = 30.0
_CREDENTIALS = struct.Struct("iII")  # pid, uid and gid of the other end, see unix(7)
# It lives beside the engine: connecting says that the engine is there, and who asks; it ends when we hang up.
_BESIDE = "import socket, sys; other = socket.socket(socket.AF_UNIX); other.connect(sys.argv[1]); other.recv(1)"


class PrivateEngine:
    """Context manager of an engine of which nothing is left afterwards. Needs what sam_local.engine.NEEDED says."""

    def __init__(self, environment: Mapping[str, str], options: str = "") -> None:
        """`environment` is dockerd's beside our own, `options` is added to its command line."""
        self._environment = {**os.environ, **environment, "DOCKERD_OPTIONS": options}
        self._ends = contextlib.ExitStack()
        self._network = -1
        self.docker_host = ""

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as starting:
            folder = starting.enter_context(tempfile.TemporaryDirectory(prefix="engine-"))
            listening = starting.enter_context(socket.socket(socket.AF_UNIX))
            listening.bind(f"{folder}/beside")
            listening.listen()
            listening.settimeout(START_TIMEOUT)
            command = [str(WITH_DOCKER), sys.executable, "-c", _BESIDE, f"{folder}/beside"]
            process = subprocess.Popen(command, env=self._environment)
            starting.callback(_end, process)
            lifeline, _ = listening.accept()
            starting.enter_context(lifeline)  # hung up first: whoever is beside the engine then ends, and it with them
            peer = lifeline.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
            pid, _, _ = _CREDENTIALS.unpack(peer)
            self._network = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
            starting.callback(os.close, self._network)
            self.docker_host = f"unix:///proc/{pid}/root/run/docker.sock"
            self._ends = starting.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ends.close()

    @contextlib.contextmanager
    def beside(self) -> Iterator[None]:
        """This thread, and what it starts meanwhile, has the engine's loopback instead of the machine's."""
        outside = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            os.setns(self._network, os.CLONE_NEWNET)
            try:
                yield
            finally:
                os.setns(outside, os.CLONE_NEWNET)
        finally:
            os.close(outside)


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.terminate()  # the script takes the engine and all containers down with it
        process.wait(STOP_TIMEOUT)
