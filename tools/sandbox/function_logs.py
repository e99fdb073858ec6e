"""What functions say in their logs, as people read it."""

import json
import re
from collections.abc import Iterator
from typing import Any

from local_ecr.principals import DEFAULT_ACCOUNT

_DIGEST = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}")
_REPOSITORY = re.compile(r"(\d{12})/([a-z]+-[a-z]+-\d)/([a-z0-9._/-]+)")
_REGISTRY = re.compile(r"(\d{12})/([a-z]+-[a-z]+-\d)")


def job_name(function: str) -> str:
    """``enforce_image_tags`` for ``EnforceImageTagsFunction``, as the template calls it."""
    return "_".join(re.findall("[A-Z][a-z]*", function.removesuffix("Function"))).lower()


def short(text: str) -> str:
    """Text as people quote it: digests of twelve digits, repositories with their region in brackets.

    The account is only said where it is another than the one that the sandbox deploys the template in.
    """
    text = _REPOSITORY.sub(lambda found: f"{found[3]} ({_place(found[1], found[2])})", _DIGEST.sub(r"\1", text))
    return _REGISTRY.sub(lambda found: _place(found[1], found[2]), text)


def _place(account: str, region: str) -> str:
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
