"""What functions say in their logs, as people read it."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from local_ecr import DEFAULT_ACCOUNT

LEFT_TO_THE_QUEUE = "left to the replication queue"
_DIGEST = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}")
_REPOSITORY = re.compile(r"(\d{12})/([a-z]+-[a-z]+-\d)/([a-z0-9._/-]+)")
_SCAN = re.compile("waits for its scan|did not pass its scan")
_REGISTRY = re.compile(r"(\d{12})/([a-z]+-[a-z]+-\d)")


def job_name(function: str) -> str:
    """``enforce_image_tags`` for ``EnforceImageTagsFunction``, as the template calls it."""
    return "_".join(re.findall("[A-Z][a-z]*", function.removesuffix("Function"))).lower()


def short(text: str) -> str:
    """Text as people quote it: digests of twelve digits, repositories with their region in brackets.

    The account is only said where it is another than the one that the sandbox deploys the template in.
    """
    text = _REPOSITORY.sub(lambda found: f"{found[3]} ({place(found[1], found[2])})", _DIGEST.sub(r"\1", text))
    return _REGISTRY.sub(lambda found: place(found[1], found[2]), text)


def place(account: str, region: str) -> str:
    """A region; with its account where that is another than the one that the sandbox deploys the template in."""
    return region if account == DEFAULT_ACCOUNT else f"{account}, {region}"


def log_lines(log: str) -> Iterator[dict[str, Any]]:
    """The structured lines of a function's log."""
    for text in log.splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict):
            yield line


def outcomes(lines: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The lines that say what was planned for one image, repository or credential, and why."""
    return (line for line in lines if line.get("message") == "outcome")


def is_only_planned(outcome: dict[str, Any]) -> bool:
    """Whether nothing was done: the rule only observes, everything is paused, or a brake holds."""
    is_somebody_elses = "error" in outcome or LEFT_TO_THE_QUEUE in outcome.get("remarks", ())
    return not outcome.get("applied", True) and not is_somebody_elses


def held_back(outcome: dict[str, Any]) -> list[str]:
    """Why a copy waits, or is not made: for each image that a scan, missing or failed, keeps where it is."""
    return [remark for remark in outcome.get("remarks", ()) if _SCAN.search(remark)]


def has_failed(answer: Any, lines: Iterable[dict[str, Any]]) -> bool:
    """Whether a function that answered did not do all that it was asked.

    An event that met a permanent error is kept on the failure queue, and a message that is to come again is named in
    the answer; neither makes the invocation itself one that failed.
    """
    said = answer if isinstance(answer, dict) else {}
    is_permanent = any(line.get("message") == "permanent error" for line in lines)
    return is_permanent or bool(said.get("failed") or said.get("batchItemFailures"))
