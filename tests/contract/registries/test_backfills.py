"""The contract of ``Backfills``: every test runs on the fake, and on the adapter over a local ECR."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from botocore.session import Session

from ecr_steward.adapters import ecr_backfills
from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.ecr_backfills import EcrBackfills
from ecr_steward.adapters.ecr_registry_settings import EcrRegistrySettings
from ecr_steward.adapters.memory import InMemoryBackfills, InMemoryRegistrySettings
from ecr_steward.domain.backfills import FailedImage
from ecr_steward.domain.names import RegistryRef
from ecr_steward.errors import BackfillUnderWayError, RefusedByRegistryError
from ecr_steward.ports.backfills import Backfills
from ecr_steward.ports.registry_settings import RegistrySettingsStore
from local_ecr import LocalEcr, LocalEcrServer
from tests.given import aws

REGIONS = ("eu-west-1", "eu-central-1", "us-west-2")
ELSEWHERE = RegistryRef("222233334444", "eu-west-1")
DIGEST = "sha256:" + "1" * 64


@dataclass
class World:
    """A registry that replicates."""

    backfills: Backfills
    settings: RegistrySettingsStore
    here: RegistryRef
    paused: Callable[[], AbstractContextManager[None]]
    """A with block in which no backfill goes on."""
    finish: Callable[[], None]
    """Have all that are under way end; those to another account bring nothing."""
    push: Callable[[int], None]
    """Have a repository with so many images before anything is replicated."""

    def replicate(self, *to: RegistryRef) -> None:
        rules = [{"destinations": [{"region": one.region, "registryId": one.account} for one in to]}]
        self.settings.put_replication(self.here, {"rules": rules})


@pytest.fixture(params=["fake", "adapter"])
def world(request: pytest.FixtureRequest) -> World:
    world: World = request.getfixturevalue(f"{request.param}_world")
    return world


@pytest.fixture
def fake_world(here: RegistryRef) -> World:
    settings = InMemoryRegistrySettings()
    backfills = InMemoryBackfills(settings)
    images: list[str] = []

    def finish() -> None:
        for one in backfills.of(here):
            if one.is_under_way:
                failed = [FailedImage("team/app", DIGEST, image_tag, "AccessDenied") for image_tag in images]
                is_closed = one.to.account != here.account
                backfills.end(here, one.id, "COMPLETE", *(failed if is_closed else ()), total=len(images))

    def push(count: int) -> None:
        images.extend(f"{number}.0" for number in range(count))

    return World(backfills, settings, here, nullcontext, finish, push)


@pytest.fixture
def adapter_world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, session: Session, here: RegistryRef
) -> Iterator[World]:
    monkeypatch.setattr(ecr_backfills, "PAGE_SIZE", 2)  # so that the listing has several pages
    with LocalEcrServer(LocalEcr(tmp_path), [(here.account, here.region)]) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", server.endpoint_url)
        clients = AwsClients(aws.ONE_TRY, session=session)
        ecr = clients.ecr(here)

        def push(count: int) -> None:
            ecr.create_repository(repositoryName="team/app")
            index = '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}'
            for number in range(count):
                ecr.put_image(repositoryName="team/app", imageManifest=index, imageTag=f"{number}.0")

        yield World(
            EcrBackfills(clients),
            EcrRegistrySettings(clients),
            here,
            server.ecr.background.paused,
            server.ecr.wait_until_idle,
            push,
        )


def test_a_registry_has_no_backfill_when_none_was_started(world: World) -> None:
    assert list(world.backfills.of(world.here)) == []


def test_a_backfill_is_under_way_when_it_was_just_started_and_tells_of_no_images_yet(
    world: World, there: RegistryRef
) -> None:
    world.replicate(there)

    with world.paused():
        started = world.backfills.start(world.here, there)
        [listed] = world.backfills.of(world.here)

    assert (started.to, started.status, started.is_under_way, started.total) == (there, "PREPARING", True, None)
    assert (listed.id, listed.started_at, listed.total) == (started.id, started.started_at, None)


def test_a_backfill_that_is_over_tells_how_many_images_it_brought(world: World, there: RegistryRef) -> None:
    world.push(3)
    world.replicate(there)
    started = world.backfills.start(world.here, there)

    world.finish()

    [ended] = world.backfills.of(world.here)
    assert (ended.id, ended.status, ended.is_under_way) == (started.id, "COMPLETE", False)
    assert (ended.total, ended.completed, ended.failed, ended.failure_codes) == (3, 3, 0, ())
    assert ended.ended_at is not None and ended.ended_at >= ended.started_at
    assert world.backfills.failed_images(world.here, ended.id, 5) == ()


@pytest.fixture
def far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This machine is in another zone."""
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("far_east")
def test_times_are_in_utc_wherever_the_machine_is(world: World, there: RegistryRef) -> None:
    world.replicate(there)
    started = world.backfills.start(world.here, there)
    world.finish()

    [ended] = world.backfills.of(world.here)
    times = (started.started_at, ended.started_at, ended.ended_at)
    assert [each and each.utcoffset() for each in times] == [timedelta(0)] * 3


def test_some_of_the_images_that_failed_are_named_with_why(world: World) -> None:
    world.push(3)
    world.replicate(ELSEWHERE)
    world.backfills.start(world.here, ELSEWHERE)

    world.finish()

    [ended] = world.backfills.of(world.here)
    assert (ended.total, ended.completed, ended.failed, ended.failure_codes) == (3, 0, 3, ("AccessDenied",))
    failed = world.backfills.failed_images(world.here, ended.id, 2)
    assert [(one.repository_name, one.image_tag, one.failure_code) for one in failed] == [
        ("team/app", "0.0", "AccessDenied"),
        ("team/app", "1.0", "AccessDenied"),
    ]


def test_what_is_no_destination_is_refused(world: World, there: RegistryRef) -> None:
    world.replicate(there)

    with pytest.raises(RefusedByRegistryError, match="eu-west-1"):
        world.backfills.start(world.here, ELSEWHERE)

    assert list(world.backfills.of(world.here)) == []


def test_nothing_is_started_when_a_backfill_to_the_region_is_under_way(world: World, there: RegistryRef) -> None:
    world.replicate(there, ELSEWHERE)

    with world.paused():
        world.backfills.start(world.here, there)
        with pytest.raises(BackfillUnderWayError):
            world.backfills.start(world.here, ELSEWHERE)
        assert len(world.backfills.of(world.here)) == 1


def test_nothing_is_started_when_ten_are_under_way(world: World) -> None:
    regions = (
        *("eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1", "eu-north-1", "us-east-2"),
        *("us-west-1", "us-west-2", "ca-central-1", "sa-east-1", "ap-south-1"),
    )
    places = [RegistryRef(world.here.account, region) for region in regions]
    world.replicate(*places)

    with world.paused():
        for place in places[:10]:
            world.backfills.start(world.here, place)
        with pytest.raises(RefusedByRegistryError, match="LimitExceeded"):
            world.backfills.start(world.here, places[10])
        assert len(world.backfills.of(world.here)) == 10


def test_all_pages_are_listed(world: World) -> None:
    places = [RegistryRef(world.here.account, region) for region in REGIONS]
    world.replicate(*places)
    with world.paused():
        for place in places:
            world.backfills.start(world.here, place)

        assert sorted(one.to for one in world.backfills.of(world.here)) == sorted(places)
