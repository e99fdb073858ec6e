"""Retention over a registry: what the use case does is the same on the fake and on ECR's API."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ecr_steward.adapters.memory import InMemorySightings, InMemoryWorkloads
from ecr_steward.domain.names import ImageRef, RepositoryRef
from ecr_steward.domain.repositories import RepositorySettings
from ecr_steward.domain.retention_rules import ExpireRule, ProtectingKeep, RetentionRules, Selection, Use
from ecr_steward.domain.rules import Governing
from ecr_steward.domain.tag_rules import TagExpiry, TagRules
from ecr_steward.domain.usage import UsedImage
from ecr_steward.usecases.retain_images import RetentionFacts, retain_images
from tests.given.appliers import applier_of
from tests.given.rules import Pattern, service_rule

RETENTION = RetentionRules(
    keeps=(
        ProtectingKeep("keep stable", Selection(tags=(Pattern("stable"),))),
        ProtectingKeep("keep in use", in_use=frozenset({Use.ECS})),
    ),
    expires=(ExpireRule("expire v* after 30d", Selection(tags=(Pattern("v.*"),)), after=30),),
)
TAGS = TagRules(protect=(Pattern("golden"),), expire=(TagExpiry((Pattern("pr-.*"),), 14),))


class Sweeper:
    """Sweeps one repository as time passes."""

    def __init__(self, world: Any, repository: RepositoryRef) -> None:
        self.world, self.repository = world, repository
        self.now = datetime.now(UTC)
        self.sightings = InMemorySightings(now=lambda: self.now)
        self.workloads = InMemoryWorkloads()

    def sweep(self) -> list[str]:
        """What was done, by kind of step."""
        retaining = service_rule(name="images", repository=lambda _: RepositorySettings(retention=RETENTION))
        governing = Governing(image_tags=service_rule(name="tags", image_tags=TAGS), settings=(retaining,))
        facts = RetentionFacts(self.world.registry, lambda: self.now, self.sightings, self.workloads)
        images = self.world.registry.images(self.repository)
        outcomes = retain_images(governing, images, facts, applier_of(self.world.registry))
        assert all(outcome.error is None for outcome in outcomes)
        return [type(step).__name__ for outcome in outcomes for step in outcome.plan.steps]

    def left(self, **images: ImageRef) -> dict[str, set[str]]:
        """Which of these images are there, with their tags."""
        found = self.world.registry.images(self.repository)
        return {name: set(found.tags_of(ref.digest)) for name, ref in images.items() if ref.digest in found.digests}


@pytest.fixture
def sweeper(world: Any, repository: RepositoryRef) -> Sweeper:
    return Sweeper(world, repository)


def test_images_tags_and_what_belongs_to_them_go_when_their_time_is_over(
    world: Any, repository: RepositoryRef, new: Any, sweeper: Sweeper
) -> None:
    children = [new.image("amd64"), new.image("arm64")]
    index, kept = new.index(children), new.index(children[:1])
    images = {
        "amd64": world.push(repository, children[0]),
        "arm64": world.push(repository, children[1]),
        "index": world.push(repository, index, "v1"),
        "kept": world.push(repository, kept, "v0", "stable"),
        "sbom": world.push(repository, new.image("sbom", subject=index)),
        "signature": world.push(repository, new.signature(), f"sha256-{index.digest.hex}.sig"),
        "draft": world.push(repository, new.image("draft"), "pr-1", "pr-2"),
        "golden": world.push(repository, new.image("golden"), "pr-3", "golden"),
        "used": world.push(repository, new.image("used"), "v3"),
    }
    sweeper.workloads.ecs.append(UsedImage(repository, "api:7", digest=images["used"].digest))
    assert sweeper.sweep() == []

    sweeper.now += timedelta(days=15)
    assert sorted(sweeper.sweep()) == ["DeleteImage", "RemoveImageTag"]
    sweeper.now += timedelta(days=16)
    assert sweeper.sweep() == ["DeleteImage"] * 4

    assert sweeper.left(**images) == {
        "amd64": set(),
        "kept": {"v0", "stable"},
        "golden": {"golden"},
        "used": {"v3"},
    }
    assert sweeper.sweep() == []


def test_a_tag_has_its_whole_time_again_when_it_has_moved(
    world: Any, repository: RepositoryRef, new: Any, sweeper: Sweeper
) -> None:
    one = world.push(repository, new.image("one"), "pr-1", "main")
    two = world.push(repository, new.image("two"), "v2")
    sweeper.sweep()

    sweeper.now += timedelta(days=13)
    world.registry.add_image_tag(two, "pr-1")
    sweeper.sweep()
    sweeper.now += timedelta(days=13)
    assert sweeper.sweep() == []
    sweeper.now += timedelta(days=2)
    assert sweeper.sweep() == ["RemoveImageTag"]

    assert sweeper.left(one=one, two=two) == {"one": {"main"}, "two": {"v2"}}
