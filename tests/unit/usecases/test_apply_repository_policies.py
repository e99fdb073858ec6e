from dataclasses import replace

from ecr_steward.domain.observations import RepositoryChanged
from ecr_steward.domain.repositories import Encryption, Mutability, Repository, RepositorySettings, TagMutability
from ecr_steward.domain.rules import Mode
from ecr_steward.usecases.apply_repository_policies import apply_repository_policies
from ecr_steward_fakes import FakeRegistry
from ecr_steward_fakes.appliers import applier_of
from ecr_steward_fakes.rules import API, SETTINGS, rulebook

CREATED = RepositoryChanged(API, "CreateRepository")
AS_CREATED = RepositorySettings(
    mutability=TagMutability(Mutability.MUTABLE), scan_on_push=False, encryption=Encryption("AES256")
)


def test_all_settings_are_those_of_the_rulebook_when_a_repository_is_new() -> None:
    registry = FakeRegistry([Repository(API, AS_CREATED)])

    (outcome,) = apply_repository_policies(CREATED, rules=rulebook(), registry=registry, applier=applier_of(registry))

    assert registry.settings_of(API) == SETTINGS
    assert [step.why for step in outcome.plan.steps] == [
        "image tags are MUTABLE, the rulebook says IMMUTABLE_WITH_EXCLUSION except *-latest",
        "scan on push is off, the rulebook says on",
        "missing or different: managed-by=ecr-steward",
        "the lifecycle policy is missing",
        "the repository policy is missing",
    ]


def test_only_the_lifecycle_policy_is_put_when_only_that_was_deleted() -> None:
    registry = FakeRegistry([Repository(API, replace(SETTINGS, lifecycle=None))])

    apply_repository_policies(CREATED, rules=rulebook(), registry=registry, applier=applier_of(registry))

    assert [call.method for call in registry.calls.changes] == ["put_lifecycle_policy"]
    assert registry.settings_of(API) == SETTINGS


def test_foreign_resource_tags_stay_when_ours_are_added() -> None:
    registry = FakeRegistry([Repository(API, replace(SETTINGS, resource_tags={"owner": "team-a"}))])

    apply_repository_policies(CREATED, rules=rulebook(), registry=registry, applier=applier_of(registry))

    assert registry.settings_of(API).resource_tags == {"owner": "team-a", "managed-by": "ecr-steward"}


def test_settings_the_rule_is_silent_about_stay() -> None:
    registry = FakeRegistry([Repository(API, AS_CREATED)])
    silent = RepositorySettings(scan_on_push=True)

    apply_repository_policies(
        CREATED, rules=rulebook(repository=lambda _: silent), registry=registry, applier=applier_of(registry)
    )

    assert registry.settings_of(API) == replace(AS_CREATED, scan_on_push=True)


def test_nothing_is_written_when_the_rule_only_observes() -> None:
    registry = FakeRegistry([Repository(API, AS_CREATED)])

    (outcome,) = apply_repository_policies(
        CREATED, rules=rulebook(mode=Mode.OBSERVE), registry=registry, applier=applier_of(registry)
    )

    assert len(outcome.plan.steps) == 5
    assert not outcome.applied
    assert registry.calls.changes == []


def test_nothing_is_done_when_the_repository_is_gone() -> None:
    registry = FakeRegistry()

    (outcome,) = apply_repository_policies(CREATED, rules=rulebook(), registry=registry, applier=applier_of(registry))

    assert outcome.remark == "the repository is gone"
