"""The metric ReplicationLagSeconds: how far each destination is behind."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ecr_steward import bootstrap
from ecr_steward.adapters.memory import InMemoryNativeCopies
from ecr_steward.adapters.memory.clock import NOON
from ecr_steward.domain.deadline import NEVER
from ecr_steward.domain.names import ImageRef
from ecr_steward.domain.native_copies import NativeCopy
from ecr_steward.domain.notices import ReplicationRequested
from ecr_steward.domain.registries import NativeReplication, WantedReplication, WantedSettings
from ecr_steward.domain.registry_rules import RegistryRule
from ecr_steward.domain.rules import Rules
from ecr_steward.events.replication_requested import encode_job
from functions.replicate_image.app import lambda_handler as replicate_image
from tests.given.batches import batch_of
from tests.given.rules import API, AWAY, HOME
from tests.given.worlds import World, manifest, world

IMAGE = manifest("image")
REF = ImageRef(API, IMAGE.digest)


@pytest.fixture
def there(move_in: Callable[[World], None]) -> World:
    """A world whose image was pushed half a minute ago."""
    found = world([IMAGE], {"1.4.2": IMAGE})
    (held,) = found.registry.images_in(API)
    found.registry.restore(replace(held, pushed_at=NOON - timedelta(seconds=30)))
    move_in(found)
    return found


def lags_in(text: str) -> list[tuple[list[list[str]], str, list[float]]]:
    lines = [json.loads(line) for line in text.splitlines()]
    return [
        (line["_aws"]["CloudWatchMetrics"][0]["Dimensions"], line["destination"], line["ReplicationLagSeconds"])
        for line in lines
        if "ReplicationLagSeconds" in line
    ]


MEASURED = [([["destination", "service"]], str(AWAY), [30.0])]


def test_the_lag_of_a_destination_is_measured_when_the_steward_has_brought_an_image_there(
    there: World, context: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = replicate_image(batch_of(encode_job(ReplicationRequested(REF, "it is missing"))), context)

    assert answer == {"batchItemFailures": []}
    assert there.registry.tags_of(REF.in_repository(API.in_registry(AWAY))) == {"1.4.2"}
    assert lags_in(capsys.readouterr().out) == MEASURED


def test_the_lag_of_a_destination_is_measured_when_the_sweep_finds_a_copy_of_ecrs_own_under_way(
    there: World, sweep: Callable[[], None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = WantedSettings(replication=WantedReplication((NativeReplication(frozenset(), frozenset({AWAY})),)))
    here = RegistryRule("production", lambda at: wanted if at == HOME else WantedSettings())
    copies = InMemoryNativeCopies(there.registry)
    copies.say(REF, NativeCopy(AWAY, "IN_PROGRESS"))
    app = replace(bootstrap.app(), rules=Rules((), registries=(here,)), native_copies=copies)
    monkeypatch.setattr(bootstrap, "app", lambda _deadline=NEVER: app)

    sweep()

    assert lags_in(capsys.readouterr().out) == MEASURED
