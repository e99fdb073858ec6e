"""The key ``scan``: which findings an image may have."""

from typing import Literal

from pydantic import Field

from ecr_steward.rulebook.base import RulebookModel

VerdictWord = Literal["pass", "fail", "wait"]


class FailOn(RulebookModel):
    """Which findings fail an image."""

    severity: Literal["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL"] = Field(
        description="Findings of this severity and above fail an image, unless they are waived.",
        examples=["HIGH"],
    )


class Scan(RulebookModel):
    """Which findings an image may have. An index is judged by the images that it points to.

    All keys but ``fail_on`` are verdicts on what is not known: ``pass``, ``fail``, or ``wait``, which publishes nothing
    and copies nothing. Whichever it is, the verdict, the plan and the log name what was not known.
    """

    fail_on: FailOn = Field(description="What makes an image fail.", examples=[{"severity": "HIGH"}])
    never_scanned: VerdictWord = Field(
        default="wait", description="The verdict on an image that has never been scanned.", examples=["wait"]
    )
    scan_failed: VerdictWord = Field(
        default="fail",
        description="The verdict on an image whose scan failed, whose findings ECR does not have (any more), or whose "
        "scan is in a state that this version does not know.",
        examples=["fail"],
    )
    unscannable: VerdictWord = Field(
        default="fail",
        description="The verdict on an image that the scanner cannot scan, such as one of an unsupported system.",
        examples=["fail"],
    )
    expired: VerdictWord = Field(
        default="wait",
        description="The verdict on an image that Inspector no longer scans, since its re-scan duration is over (14 "
        "days by default). `fail` publishes a verdict for each such image once a day.",
        examples=["wait"],
    )
    limit_exceeded: VerdictWord = Field(
        default="fail",
        description="The verdict on an image that is larger than the scanner takes, or for which no scan is left.",
        examples=["fail"],
    )
    undefined: VerdictWord = Field(
        default="fail",
        description="The verdict on an image with a finding that has no severity (yet), such as `UNDEFINED` and "
        "`UNTRIAGED`, or one of a name that this version does not know. A waiver can tolerate the finding.",
        examples=["wait"],
    )
    suppressed: VerdictWord = Field(
        default="fail",
        description="The verdict on an image with a finding that would fail it and that a suppression rule of Amazon "
        "Inspector hides. `pass` names it among the waived ones. A waiver can tolerate it, too.",
        examples=["pass"],
    )
