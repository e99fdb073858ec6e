"""The key ``scan``: which findings an image may have."""

from typing import Literal

from pydantic import Field

from ecr_steward.rulebook.base import RulebookModel


class FailOn(RulebookModel):
    """Which findings fail an image."""

    severity: Literal["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL"] = Field(
        description="Findings of this severity and above fail an image, unless they are waived. A finding that nobody "
        "has given a severity yet fails none; the verdict names it.",
        examples=["HIGH"],
    )


class Scan(RulebookModel):
    """Which findings an image may have. An index is judged by the images that it points to."""

    fail_on: FailOn = Field(description="What makes an image fail.", examples=[{"severity": "HIGH"}])
    unscannable: Literal["fail", "pass"] = Field(
        default="fail",
        description="The verdict on an image that the scanner cannot scan, such as one of an unsupported system.",
        examples=["fail"],
    )
