"""What functions tell the work about their time."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from ecr_steward import bootstrap
from ecr_steward.domain.deadline import Deadline
from ecr_steward.domain.names import Digest, ImageRef
from ecr_steward.domain.notices import ReplicationRequested
from ecr_steward.domain.sweeping import SweepPart
from ecr_steward.errors import ThrottledError
from ecr_steward.events.replication_requested import encode_job
from ecr_steward.events.sweep_part import encode_part
from functions.reconcile_registry.app import lambda_handler as reconcile_registry
from functions.replicate_image.app import lambda_handler as replicate_image
from tests.given.batches import batch_of
from tests.given.rules import API, HOME

JOB = encode_job(ReplicationRequested(ImageRef(API, Digest(f"sha256:{'a' * 64}")), "it is missing"))
PART = encode_part(SweepPart(HOME, (API.name,), "a-sweep"))


@pytest.mark.parametrize(("handler", "body"), [(replicate_image, JOB), (reconcile_registry, PART)])
def test_the_work_is_told_how_many_seconds_are_left(
    handler: Callable[[Any, Any], Any], body: str, context: Any, house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[float] = []

    def work(_: object) -> None:
        raise ThrottledError("enough for now")

    def app(deadline: Deadline) -> Any:
        told.append(deadline.seconds_left())
        return SimpleNamespace(replicate_image=work, sweep_part=work)

    monkeypatch.setattr(bootstrap, "app", app)
    context.seconds_left = 899.5

    handler(batch_of(body), context)

    assert told == [899.5]
