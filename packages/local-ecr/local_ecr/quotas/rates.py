"""The quotas of an account in a region: one row for each rate that AWS publishes, with its source."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Self

from local_ecr.control.protocol import service_model

ECR = "ecr"
NONE = "none"
REPOSITORIES = "repositories"

_GUIDE = "AmazonECR/latest/userguide/service-quotas.html"


@dataclass(frozen=True)
class Rate:
    """What an account may ask of an operation in a region."""

    per_second: int
    """AWS's default; each of them is raised on request."""
    quota_code: str
    """What Service Quotas calls it."""
    source: str = _GUIDE


RATES: Mapping[str, Rate] = {
    "BatchCheckLayerAvailability": Rate(1_000, "L-B9173138"),
    "BatchGetImage": Rate(2_000, "L-16E70933"),
    "CompleteLayerUpload": Rate(100, "L-44194860"),
    "GetAuthorizationToken": Rate(500, "L-55A41110"),
    "GetDownloadUrlForLayer": Rate(3_000, "L-A60A366D"),
    "InitiateLayerUpload": Rate(100, "L-95B28F8D"),
    "PutImage": Rate(10, "L-AD52DFB2"),
    "UploadLayerPart": Rate(500, "L-A1670B10"),
}
"""Every operation whose rate AWS publishes. AWS throttles others, too (github.com/mondoohq/mql/pull/8450), at rates
that no public source names: here they have no limit until `Quotas.rates` names one.
"""

MAX_REPOSITORIES = 100_000
"""Registered repositories (quota L-CFEB8E8D, "Amazon ECR service quotas")."""


@dataclass(frozen=True)
class Quotas:
    """What is enforced: AWS's defaults, unless said otherwise. Raises ValueError for what is no rate or operation."""

    factor: float = 1.0
    """What AWS's default rates are multiplied by, so that a test meets a throttle after fewer requests."""
    rates: Mapping[str, float] = field(default_factory=dict)
    """Requests a second by operation, not multiplied: in place of AWS's defaults, or where AWS publishes none."""
    repositories: int = MAX_REPOSITORIES
    """How many a registry may have."""

    def __post_init__(self) -> None:
        for name, value in (("factor", self.factor), *self.rates.items()):
            if not 0 < value < math.inf:
                raise ValueError(f"{name}: not a number above 0: {value}")
        if self.repositories < 1:
            raise ValueError(f"{REPOSITORIES}: not a whole number above 0: {self.repositories}")
        for operation in self.rates:
            if operation not in service_model().operation_names:
                near = get_close_matches(operation, service_model().operation_names, n=1)
                raise ValueError(
                    f"ECR has no operation {operation!r}" + (f" (did you mean {near[0]!r}?)" if near else "")
                )

    def rate_of(self, operation: str) -> float | None:
        """Requests a second; None where there is no limit."""
        if operation in self.rates:
            return self.rates[operation]
        known = RATES.get(operation)
        return known.per_second * self.factor if known else None

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read `none`, or `ecr` or a factor, with other quotas behind it: `0.1`, `ecr,PutImage=50,repositories=9`.

        Raises ValueError that says what is wrong.
        """
        first, *changes = [word.strip() for word in text.split(",")]
        if first == NONE and not changes:
            return None
        factor = 1.0 if first == ECR else _number(first, f"it begins with {NONE}, {ECR} or a factor, such as 0.1")
        given: dict[str, float] = {}
        for change in changes:
            name, _, value = change.partition("=")
            given[name] = _number(value, f"not OPERATION=RATE, such as PutImage=50: {change!r}")
        repositories = given.pop(REPOSITORIES, MAX_REPOSITORIES)
        if repositories != int(repositories):
            raise ValueError(f"{REPOSITORIES}: not a whole number above 0: {repositories}")
        return cls(factor, given, int(repositories))


def _number(text: str, otherwise: str) -> float:
    """Raises ValueError with `otherwise` for what is no finite number."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(otherwise)
    return number
