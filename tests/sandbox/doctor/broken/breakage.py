"""One thing that is broken for a while, and what doctor must say about it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from tests.sandbox.doctor.conftest import House

type Break = Callable[[House], AbstractContextManager[None]]

FORWARD, PUSHED = "ForwardToStewardRule", "EnforceImageTagsFunctionImagePushed"
TAGS, POLICIES = "EnforceImageTagsFunction", "ApplyRepositoryPoliciesFunction"
SCANS, COPIES = "EvaluateImageScanFunction", "ReplicateImageFunction"
SWEEP, LOGINS = "ReconcileRegistryFunction", "RefreshCredentialsFunction"


@dataclass(frozen=True)
class Breakage:
    """One thing that is broken for a while."""

    check: str
    subject: str
    make: Break
    round: int = 1
    """Of those of one round no two touch the same resource, so that all may be broken at once."""

    hides: frozenset[str] = frozenset()
    """Checks that cannot look at anything while it is broken."""

    @property
    def id(self) -> str:
        return f"{self.check}: {self.subject}"
