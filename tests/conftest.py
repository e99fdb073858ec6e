"""Fixtures for every test."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SAMPLES = Path(__file__).parents[1] / "events"


@pytest.fixture
def load_event() -> Callable[[str], Any]:
    """Read a sample payload of ``events/``, such as ``ecr_image_action/push_tagged``: a fresh copy every time."""

    def load(name: str) -> Any:
        return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))

    return load
