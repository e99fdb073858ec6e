"""What functions say in their logs, as people read it."""

import json
import re
from collections.abc import Iterator
from typing import Any

_DIGEST = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}")
_REPOSITORY = re.compile(r"\d{12}/([a-z]+-[a-z]+-\d)/([a-z0-9._/-]+)")
_REGISTRY = re.compile(r"\d{12}/([a-z]+-[a-z]+-\d)")


def job_name(function: str) -> str:
    """``enforce_image_tags`` for ``EnforceImageTagsFunction``, as the template calls it."""
    return "_".join(re.findall("[A-Z][a-z]*", function.removesuffix("Function"))).lower()


def short(text: str) -> str:
    """Text as people quote it: digests of twelve digits, repositories with their region in brackets."""
    return _REGISTRY.sub(r"\1", _REPOSITORY.sub(r"\2 (\1)", _DIGEST.sub(r"\1", text)))


def log_lines(log: str) -> Iterator[dict[str, Any]]:
    """The structured lines of a function's log."""
    for text in log.splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict):
            yield line
