"""Lines for whoever looks on."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from ecr_steward_sandbox.function_logs import place

_TOLD = (
    *("repository-name", "image-tag", "action-type", "result", "scan-status"),
    *("eventName", "repositoryName", "errorCode", "verdict"),
)
"""Members of an event's detail that say what it is about; SUCCESS goes without saying."""


def event_line(event: Mapping[str, Any]) -> str:
    """One event in one line."""
    where = place(str(event.get("account")), str(event.get("region")))
    detail = event.get("detail")
    about = ""
    if isinstance(detail, dict):
        asked = detail.get("requestParameters")  # of a call that a trail tells of
        said = {**detail, "repositoryName": asked.get("repositoryName")} if isinstance(asked, dict) else detail
        known = {name: str(said[name]) for name in _TOLD if said.get(name)}
        if known.get("result") == "SUCCESS":
            del known["result"]
        if digest := str(detail.get("image-digest", "")):
            known["image-digest"] = digest[:19]
        about = " ".join(known.values())
    return f"event     {where}: {event.get('detail-type')} {about}".rstrip()


def say(text: str) -> None:
    """Say a whole line, from whatever thread: print writes the line and its end apart, and others come between."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
