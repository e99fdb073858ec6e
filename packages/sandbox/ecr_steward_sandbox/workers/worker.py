"""One worker: a process under the real Lambda runtime client that handles one event at a time."""

from __future__ import annotations

import json
import os
import queue
import select
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ecr_steward_sandbox.workers.runtime_api import Job, Kind, Report, RuntimeApi

INIT_SECONDS = 10.0  # Lambda's limit for the init phase; a slow init is then repeated within the function's timeout
DYING_SECONDS = 10.0
MAX_LOG_BYTES = 1 << 20  # kept of one invocation


@dataclass(frozen=True)
class Outcome:
    """How an invocation ended. `payload` is the function's JSON answer, or the error document if `is_error`."""

    payload: bytes
    is_error: bool
    log: str


class Worker:
    """A running process. `scratch` is its temporary folder, removed with it. Once `is_dead` it must be replaced.

    `now` is the worker's own time in seconds since the epoch, in which it is told its deadlines.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        folder: Path,
        scratch: Path,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._now = now
        self._started = now()
        self._scratch = scratch
        self._api = RuntimeApi()
        self._log = bytearray()
        self._log_lock = threading.Lock()
        self._log_end, write_end = os.pipe()
        os.set_blocking(self._log_end, False)
        self._reading_ends = threading.Event()
        self._wake_end, self._waker = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603 the command is ours
                command,
                cwd=folder,
                env={**environment, "AWS_LAMBDA_RUNTIME_API": self._api.address, "TMPDIR": str(scratch)},
                stdin=subprocess.DEVNULL,
                stdout=write_end,
                stderr=write_end,
                # A group of its own: what the function starts ends with it. No session of its own: so the kernel wakes
                # and ends a frozen group (SIGCONT, SIGHUP) when this process is killed and can do it no more.
                process_group=0,
            )
        except OSError:
            self._api.close()
            self._close_pipes()
            raise
        finally:
            os.close(write_end)
        self._is_initialised = False
        self._exited = threading.Event()
        self._reaping = threading.Lock()
        self._threads = [
            threading.Thread(target=self._watch, name="worker-exit", daemon=True),
            threading.Thread(target=self._read_log, name="worker-log", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        """Process id, which is also its group's."""
        return self._process.pid

    @property
    def age(self) -> float:
        """Seconds since it was started, by its own clock."""
        return self._now() - self._started

    @property
    def is_dead(self) -> bool:
        """Whether the process has ended."""
        return self._exited.is_set()

    def invoke(self, payload: bytes, *, request_id: str, function_arn: str, timeout: float) -> Outcome:
        """Handle one event. A worker that times out, exits or fails to initialise is killed."""
        if not self._is_initialised:
            report = self._next_report(INIT_SECONDS + timeout)
            if report is None or report.kind is not Kind.READY:
                return self._failed(report, request_id, INIT_SECONDS + timeout)
            self._is_initialised = True
        self._signal(signal.SIGCONT)
        self._api.jobs.put(Job(request_id, payload, function_arn, self._now() + timeout))
        report = self._next_report(timeout)
        if report is None or report.kind not in (Kind.RESPONSE, Kind.ERROR):
            return self._failed(report, request_id, timeout)
        # Lambda freezes what a function left running; it goes on, perhaps, with the next event.
        self._signal(signal.SIGSTOP)
        return Outcome(report.payload, report.kind is Kind.ERROR, self._take_log())

    def kill(self) -> None:
        """Kill the process with all it started; an invocation under way ends with an error."""
        self._signal(signal.SIGKILL)
        if not self._exited.wait(DYING_SECONDS):
            raise TimeoutError(f"process {self._process.pid} did not end within {DYING_SECONDS:g} s of SIGKILL")

    def close(self) -> None:
        """Kill the process and free everything. Not while invoke() runs."""
        self.kill()
        self._api.close()
        # A process that left the group may still hold the other end of the log, which then never ends by itself.
        self._reading_ends.set()
        os.write(self._waker, b".")
        for thread in self._threads:
            thread.join(DYING_SECONDS)
        self._close_pipes()
        shutil.rmtree(self._scratch)

    def _signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and all it started; a frozen group can be killed, too."""
        with self._reaping:
            if self._process.returncode is None:  # not reaped yet, so the id is still this process's
                os.killpg(self._process.pid, number)

    def _next_report(self, timeout: float) -> Report | None:
        try:
            return self._api.reports.get(timeout=timeout)
        except queue.Empty:
            return None

    def _failed(self, report: Report | None, request_id: str, timeout: float) -> Outcome:
        self.kill()
        if report is not None and report.kind is Kind.INIT_ERROR:
            return Outcome(report.payload, True, self._take_log())
        if report is None:
            error = ("Sandbox.Timedout", f"Task timed out after {timeout:.2f} seconds")
        else:
            error = ("Runtime.ExitError", f"Runtime exited with error: {report.payload.decode()}")
        message = f"RequestId: {request_id} Error: {error[1]}"
        document = {"errorType": error[0], "errorMessage": message}
        return Outcome(json.dumps(document).encode(), True, self._take_log() + message + "\n")

    def _watch(self) -> None:
        os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        with self._reaping:
            # Before the process is reaped its id is surely its own: what it left behind in its group ends here.
            os.killpg(self._process.pid, signal.SIGKILL)
            status = self._process.wait()
        self._exited.set()
        text = f"exit status {status}" if status >= 0 else f"signal: {signal.Signals(-status).name}"
        self._api.reports.put(Report(Kind.EXITED, text.encode()))

    def _read_log(self) -> None:
        poll = select.poll()
        for end in (self._log_end, self._wake_end):
            poll.register(end, select.POLLIN | select.POLLHUP)
        while not self._reading_ends.is_set():
            poll.poll()
            if not self._drain_log():
                return

    def _close_pipes(self) -> None:
        for end in (self._log_end, self._wake_end, self._waker):
            os.close(end)

    def _drain_log(self) -> bool:
        """Take what is in the pipe; False at its end."""
        with self._log_lock:
            while True:
                try:
                    data = os.read(self._log_end, 65_536)
                except BlockingIOError:
                    return True
                if not data:
                    return False
                self._log += data[: max(0, MAX_LOG_BYTES - len(self._log))]

    def _take_log(self) -> str:
        # The runtime client writes unbuffered, so what belongs to an invocation is in the pipe before its answer.
        self._drain_log()
        with self._log_lock:
            text = self._log.decode(errors="replace")
            self._log.clear()
        return text
