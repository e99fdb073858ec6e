"""Events beside the committed samples of them: the same once what is different every time is taken away."""

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
SAMPLES = (Path(__file__).parent / "samples", ROOT / "events")

_ALWAYS_NEW = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"sha256:[0-9a-f]{64}"), "<digest>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "<time>"),
    (re.compile(r"[A-Z][a-z]{2} \d{1,2}, \d{4}, \d{1,2}:\d\d:\d\d [AP]M"), "<moment>"),
)
_TYPED_ONLY = {"imageManifest", "uploadId", "pushedAt"}
"""Members of which the sample says no more than the type."""


def sample(name: str) -> Any:
    """A committed sample by `detail_type/case`, of this folder or of those that the product is tested with."""
    found = [folder / f"{name}.json" for folder in SAMPLES if (folder / f"{name}.json").exists()]
    return json.loads(found[0].read_text(encoding="utf-8"))


def lasting(value: Any, name: str = "") -> Any:
    """What is the same every time: no ids, digests and times."""
    if name in _TYPED_ONLY:
        return type(value).__name__
    if isinstance(value, dict):
        return {key: lasting(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [lasting(item) for item in value]
    if isinstance(value, str):
        for pattern, placeholder in _ALWAYS_NEW:
            value = pattern.sub(placeholder, value)
    return value
