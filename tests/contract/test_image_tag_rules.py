"""Rules about image tags in a registry as ECR is: the same on the fakes and on the adapters, down to what is left."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ecr_steward.adapters.memory import InMemoryNotices
from ecr_steward.domain.images import Manifest
from ecr_steward.domain.names import ImageRef, ImageTag, RepositoryRef
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.repositories import Mutability, TagMutability
from ecr_steward.domain.rules import Match, Mode, Rule, Rules
from ecr_steward.domain.tag_rules import (
    AliasMove,
    AliasRules,
    CompanionRules,
    OnViolation,
    Requirement,
    TagRules,
)
from ecr_steward.errors import LastImageTagError
from ecr_steward.rulebook.patterns import tag_matcher
from ecr_steward.rulebook.versions import read_version
from ecr_steward.usecases.describing import Describer
from ecr_steward.usecases.enforce_image_tags import enforce_image_tags
from tests.given.appliers import applier_of
from tests.given.rules import Pattern

pytestmark = pytest.mark.slow
SPDX = "application/spdx+json"
ALIASES = AliasRules(("{major}-latest",), read_version, move=AliasMove.DELETE_AND_RETAG)
QUARANTINE = TagRules(
    allow=(tag_matcher("semver"),),
    labels=(Requirement("team"),),
    annotations=(Requirement("source"),),
    on_violation=OnViolation.QUARANTINE,
)

type Enforce = Callable[..., Outcome]


@pytest.fixture
def enforce(world: Any, repository: RepositoryRef) -> Enforce:
    def enforce_(held: Manifest, rules: TagRules, age: timedelta = timedelta()) -> Outcome:
        rule = Rule("all", Match((Pattern(".*"),)), Mode.ENFORCE, image_tags=rules)
        # The registry's clock is the machine's; the fake's stands still in the past.
        pushed = world.registry.images(repository).images[held.digest].pushed_at or datetime.now(UTC)
        return enforce_image_tags(
            ImageRef(repository, held.digest),
            rules=Rules((rule,)),
            registry=world.registry,
            describer=Describer(world.registry, world.content, lambda: pushed + age),
            notices=InMemoryNotices(),
            applier=applier_of(world.registry),
        )

    return enforce_


@pytest.fixture
def tags(world: Any, repository: RepositoryRef) -> Callable[[Manifest], set[str]]:
    return lambda held: set(world.registry.images(repository).tags_of(held.digest))


def make_immutable(world: Any, repository: RepositoryRef) -> None:
    world.registry.put_tag_mutability(repository, TagMutability(Mutability.IMMUTABLE))


def test_labels_and_annotations_are_found_in_what_a_client_pushed(
    world: Any, repository: RepositoryRef, new: Any, enforce: Enforce, tags: Any
) -> None:
    good = new.image("good", labels={"team": "a"}, annotations={"source": "here"})
    bare = new.image("bare")
    index = new.index([good, bare], ["linux/arm64", "linux/amd64"])
    for manifest, tag in ((good, "1.4.2"), (bare, "1.4.3"), (index, "1.4.4")):
        world.push(repository, manifest, tag)

    told = {held.digest: [v.why for v in enforce(held, QUARANTINE).plan.violations] for held in (good, bare, index)}

    assert told == {
        good.digest: [],
        bare.digest: [f"label 'team' is missing in {bare.digest}"],  # the index is asked for the annotation
        index.digest: ["annotation 'source' is missing", f"label 'team' is missing in {bare.digest}"],
    }
    assert tags(good) == {"1.4.2"}
    assert tags(bare) == {f"quarantine-{bare.digest.hex[:12]}"}
    assert tags(index) == {f"quarantine-{index.digest.hex[:12]}"}


def test_an_image_is_quarantined_when_image_tags_are_immutable_too(
    world: Any, repository: RepositoryRef, new: Any, enforce: Enforce, tags: Any
) -> None:
    bare = new.image("bare")
    make_immutable(world, repository)
    world.push(repository, bare, "1.4.3", "1.4.4")

    enforce(bare, QUARANTINE)

    assert tags(bare) == {f"quarantine-{bare.digest.hex[:12]}"}
    assert enforce(bare, QUARANTINE).plan.is_empty


def test_companions_are_found_when_they_are_there(
    world: Any, repository: RepositoryRef, new: Any, enforce: Enforce
) -> None:
    rules = TagRules(companions=CompanionRules((SPDX,), cosign_signature=True))
    image, other = new.image(), new.image("other")
    for manifest, tag in ((image, "1.4.2"), (other, "1.4.3")):
        world.push(repository, manifest, tag)
    world.push(repository, new.image("sbom", subject=image, artifact_type=SPDX))
    world.push(repository, new.signature(), f"sha256-{image.digest.hex}.sig")

    assert enforce(image, rules, timedelta(hours=1)).plan.violations == ()
    assert enforce(other, rules, timedelta(minutes=59)).plan.violations == ()
    assert len(enforce(other, rules, timedelta(hours=1)).plan.violations) == 2


def test_the_last_tag_stays_when_the_answer_is_untag(
    world: Any, repository: RepositoryRef, new: Any, enforce: Enforce, tags: Any
) -> None:
    rules = TagRules(allow=(tag_matcher("semver"),), on_violation=OnViolation.UNTAG)
    only, several = new.image("only"), new.image("several")
    world.push(repository, only, "dev")
    world.push(repository, several, "main", "1.4.2")

    for held in (only, several, only):
        enforce(held, rules)

    assert (tags(only), tags(several)) == ({"dev"}, {"1.4.2"})


def test_an_immutable_alias_moves_by_being_deleted_first(
    world: Any, repository: RepositoryRef, new: Any, enforce: Enforce, tags: Any
) -> None:
    old, middle = new.image("old"), new.image("new")
    make_immutable(world, repository)
    world.push(repository, old, "1.4.2")
    enforce(old, TagRules(aliases=ALIASES))
    world.push(repository, middle, "1.4.3")

    enforce(middle, TagRules(aliases=ALIASES))

    assert (tags(old), tags(middle)) == ({"1.4.2"}, {"1.4.3", "1-latest"})


def test_an_alias_is_put_right_by_the_next_event_when_a_pusher_takes_it_in_the_gap(
    world: Any, repository: RepositoryRef, new: Any, enforce: Enforce, tags: Any
) -> None:
    old, middle, newest = new.image("old"), new.image("new"), new.image("newest")
    make_immutable(world, repository)
    world.push(repository, old, "1.4.2", "1-latest")
    world.push(repository, middle, "1.4.3")
    before(world.registry, "add_image_tag", lambda: world.push(repository, newest, "1.4.4", "1-latest"))

    outcome = enforce(middle, TagRules(aliases=ALIASES))
    enforce(newest, TagRules(aliases=ALIASES))

    assert "somebody was faster" in outcome.plan.remarks[0]
    assert (tags(old), tags(middle), tags(newest)) == ({"1.4.2"}, {"1.4.3"}, {"1.4.4", "1-latest"})


def test_no_image_is_lost_when_its_other_tag_goes_between_the_plan_and_the_call(
    world: Any, repository: RepositoryRef, new: Any, enforce: Enforce, tags: Any
) -> None:
    rules = TagRules(allow=(tag_matcher("semver"),), on_violation=OnViolation.UNTAG)
    image, thief = new.image("image"), new.image("thief")
    world.push(repository, image, "dev", "1.4.2")
    before(world.registry, "remove_image_tag", lambda: world.push(repository, thief, "1.4.2"))

    with pytest.raises(LastImageTagError):
        enforce(image, rules)
    enforce(image, rules)

    assert tags(image) == {"dev"}


def test_the_thief_keeps_the_tag_when_it_moves_between_the_plan_and_the_call(
    world: Any, repository: RepositoryRef, new: Any, enforce: Enforce, tags: Any
) -> None:
    rules = TagRules(allow=(tag_matcher("semver"),), on_violation=OnViolation.UNTAG)
    image, thief = new.image("image"), new.image("thief")
    world.push(repository, image, "dev", "1.4.2")
    before(world.registry, "remove_image_tag", lambda: world.push(repository, thief, "dev"))

    enforce(image, rules)

    assert (tags(image), tags(thief)) == ({"1.4.2"}, {"dev"})


def before(port: Any, method: str, deed: Callable[[], object]) -> None:
    """Have somebody do something just before the next call of this method."""
    call = getattr(port, method)

    def interrupted(image: ImageRef, image_tag: ImageTag) -> None:
        setattr(port, method, call)
        deed()
        call(image, image_tag)

    setattr(port, method, interrupted)
