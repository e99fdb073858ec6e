"""The key ``brake``: how much a rule may take away before a person has to look."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field, StrictInt, WithJsonSchema

from ecr_steward.domain import brake
from ecr_steward.rulebook.base import RulebookModel
from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.words import WrongWordError

MOST_REMOVALS: Final = 10_000
"""All counts of a window are one item of DynamoDB, which holds 400 KB; a repository needs 30 bytes or so of it."""
_PERCENT: Final = r"100%|[1-9]?[0-9]%"
_DEFAULT: Final = brake.USUAL


def _check_percent(text: str) -> str:
    if not re.fullmatch(_PERCENT, text):
        raise WrongWordError(f"`{text}` is no share", "whole percent from 0% to 100%, such as 25%", code=Code.SHARE)
    return text


Percent = Annotated[
    str, AfterValidator(_check_percent), WithJsonSchema({"type": "string", "pattern": f"^({_PERCENT})$"})
]


class Brake(RulebookModel):
    """How much a rule may take away in one sweep, and by the events of one hour. Then it waits for a person."""

    removals: Annotated[StrictInt, Field(ge=0, le=MOST_REMOVALS)] = Field(
        default=_DEFAULT.removals,
        description="Images, image tags and permissions that may be taken away from a repository, and from all "
        f"together, of which each counts with one in {brake.MANY} of them at most.",
        examples=[_DEFAULT.removals],
    )
    share: Percent = Field(
        default=f"{_DEFAULT.share}%",
        description="Of a repository's images, and of its images with an image tag, that may be deleted or lose an "
        f"image tag. The first {brake.FREE_IMAGES} of a repository always may.",
        examples=[f"{_DEFAULT.share}%"],
    )


def brake_of(said: Brake | None) -> brake.Brake:
    """What it means; what nobody says is as the defaults of its keys are."""
    said = said or Brake()
    return brake.Brake(said.removals, int(said.share.removesuffix("%")))
