"""The words of ``image_tags`` for what an image must bring along.

Media types are those of RFC 6838, which the OCI specifications ask of artifact types.
"""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema

from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.words import WrongWordError

_KEY = r"[^\s]{1,256}"
_RESTRICTED_NAME = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_MEDIA_TYPE = rf"{_RESTRICTED_NAME}/{_RESTRICTED_NAME}"
_GRACE = r"(0|[1-9][0-9]{0,3})([mhd])"
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def _check_key(text: str) -> str:
    if not re.fullmatch(_KEY, text):
        raise WrongWordError(
            f"`{text}` is not the key of a label or annotation: up to 256 characters without spaces",
            code=Code.LABEL_KEY,
        )
    return text


def _check_artifact_type(text: str) -> str:
    if not re.fullmatch(_MEDIA_TYPE, text):
        raise WrongWordError(
            f"`{text}` is not an artifact type", "a media type such as application/spdx+json", code=Code.ARTIFACT_TYPE
        )
    return text


def _grace(value: object) -> object:
    if isinstance(value, str) and (found := re.fullmatch(_GRACE, value)):
        return timedelta(**{_UNITS[found[2]]: int(found[1])})
    raise WrongWordError(
        f"`{value}` is not a time: write minutes, hours or days, such as 30m, 1h or 2d", code=Code.GRACE
    )


def _spell(time: timedelta) -> str:
    minutes = time // timedelta(minutes=1)
    for unit, length in (("d", 24 * 60), ("h", 60)):
        if minutes and minutes % length == 0:
            return f"{minutes // length}{unit}"
    return f"{minutes}m"


LabelKey = Annotated[str, AfterValidator(_check_key), WithJsonSchema({"type": "string", "pattern": f"^{_KEY}$"})]
ArtifactType = Annotated[
    str, AfterValidator(_check_artifact_type), WithJsonSchema({"type": "string", "pattern": f"^{_MEDIA_TYPE}$"})
]
Grace = Annotated[
    timedelta,
    BeforeValidator(_grace),
    PlainSerializer(_spell, str),
    WithJsonSchema({"type": "string", "pattern": f"^{_GRACE}$"}),
]
