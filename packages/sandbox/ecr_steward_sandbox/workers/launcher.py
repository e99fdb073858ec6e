"""Runs a function ahead of real time: `launcher.py SECONDS HANDLER`, instead of `-m awslambdaric HANDLER`.

A copy of this file lies in a folder of its own beside time-machine, so that neither is on the path of the function.
"""

import runpy
import sys
import time
from datetime import timedelta
from pathlib import Path

import time_machine


def main() -> None:
    """Start to travel, then be what `python -m awslambdaric` is."""
    seconds = float(sys.argv.pop(1))
    # A timedelta, not a datetime: that would replace TZ, which is Lambda's.
    time_machine.travel(timedelta(seconds=seconds), tick=True).start()
    time.time()  # the journey begins with the first look at the clock
    sys.path[0] = str(Path.cwd())  # as -m has it
    runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
