"""The compiled rulebook file: written by the build of the rulebook layer, read by the functions.

It holds the validated rulebook as JSON, and of which source it was made, so that nothing in Lambda reads YAML.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from ecr_steward.domain.rules import Rules
from ecr_steward.errors import InvalidRulebookError
from ecr_steward.rulebook.bounds import UNBOUNDED, Bounds
from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.compile import compile_rulebook
from ecr_steward.rulebook.limits import LARGEST_COMPILED
from ecr_steward.rulebook.model import Rulebook
from ecr_steward.rulebook.validate import validate

FORMAT: Final = 1
"""Of the compiled file. A function refuses one that a newer build wrote."""


def dump_compiled(rulebook: Rulebook, source_name: str, source: bytes) -> str:
    """The compiled file for a rulebook. The same rulebook and source always make the same text."""
    document = {
        "format": FORMAT,
        "source": {"file": source_name, "sha256": sha256(source).hexdigest()},
        "rulebook": rulebook.model_dump(mode="json", by_alias=True, exclude_unset=True),
    }
    return compiled_text(document)


def compiled_text(document: Mapping[str, Any]) -> str:
    """A compiled rulebook as it is written: equal ones have equal bytes, and so one SHA-256."""
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def load_compiled(path: Path, bounds: Bounds = UNBOUNDED) -> Rules:
    """Read a compiled rulebook. Raises InvalidRulebookError, which names the file and every reason."""
    try:
        text = path.read_bytes()
    except OSError as cause:
        raise InvalidRulebookError(
            f"{Code.COMPILED_UNREADABLE} {path} cannot be read: {cause.strerror or cause}"
        ) from cause
    return parse_compiled(text, str(path), bounds)


def parse_compiled(text: bytes, where: str, bounds: Bounds = UNBOUNDED) -> Rules:
    """The rules of a compiled rulebook. Raises InvalidRulebookError, which says where it came from and every reason."""
    if len(text) > LARGEST_COMPILED:
        raise InvalidRulebookError(
            f"{Code.COMPILED_INVALID} {where} has {len(text)} bytes; a compiled rulebook has at most {LARGEST_COMPILED}"
        )
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as cause:
        raise InvalidRulebookError(f"{Code.COMPILED_NOT_JSON} {where} is no JSON: {cause}") from cause
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        found = document.get("format") if isinstance(document, dict) else type(document).__name__
        raise InvalidRulebookError(
            f"{Code.COMPILED_FORMAT} {where} is no compiled rulebook of format {FORMAT} (found {found!r}); "
            "build it again, or compile it with `ecr-steward compile`"
        )
    rulebook, problems = validate(document.get("rulebook"))
    problems = problems or tuple(bounds.outside(rulebook) if rulebook else ())
    if rulebook is None or problems:
        reasons = "; ".join(f"{problem.code} {problem}" for problem in problems)
        raise InvalidRulebookError(
            f"{Code.COMPILED_INVALID} {where} does not validate, so nothing is enforced: {reasons}"
        )
    return replace(compile_rulebook(rulebook), digest=sha256(text).hexdigest())
