"""`python -m local_ecr` that kills itself at a moment that matters: between two things that it does to the disk.

    python stopping.py COUNTDOWN [arguments of local_ecr]

From when the file COUNTDOWN exists, with a number in it, calls count that change a file or its name, or that begin or
commit a transaction. 0 kills the process before the first of them, n after the n-th. The line of code that was the last
to do something is then in the file COUNTDOWN.last. Nothing of local_ecr is replaced: the interpreter's profiler tells
of its calls.
"""

import linecache
import os
import runpy
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

COUNTDOWN = Path(sys.argv.pop(1))
OF_FILES = {"open", "rename", "replace", "unlink", "link", "sendfile", "copy_file_range"}
OF_CONTENT = {"write", "truncate"}
done = 0
limit: int | None = None
counting = threading.RLock()


def profile(frame: FrameType, event: str, called: Any) -> None:
    if event in {"c_call", "c_return"} and _counts(frame, called):
        with counting:
            _count(frame, event)


def _counts(frame: FrameType, called: Any) -> bool:
    name, file = called.__name__, frame.f_code.co_filename
    if file.endswith("local_ecr/state/database.py"):
        return name == "execute" and frame.f_code.co_name == "writing"
    return (called.__module__ == "posix" and name in OF_FILES) or (
        name in OF_CONTENT and file.endswith("local_ecr/state/content.py")
    )


def _count(frame: FrameType, event: str) -> None:
    global done, limit  # noqa: PLW0603  one process, one countdown
    if limit is None:
        if not os.path.exists(COUNTDOWN):  # noqa: PTH110  Path.exists would be profiled as well
            return
        limit = int(COUNTDOWN.read_text(encoding="ascii"))
    done += event == "c_return"
    if done == limit:
        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
        Path(f"{COUNTDOWN}.last").write_text(line, encoding="utf-8")
        os.kill(os.getpid(), signal.SIGKILL)


threading.setprofile(profile)
runpy.run_module("local_ecr", run_name="__main__", alter_sys=True)
