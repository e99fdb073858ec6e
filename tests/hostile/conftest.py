"""What the copier takes when nothing is wrong."""

import pytest

from lab.hostile.clients import OURS
from lab.hostile.judging import idle_bytes


@pytest.fixture(scope="session")
def idle() -> int:
    """The memory that the copy of a small image takes."""
    return idle_bytes(OURS)
