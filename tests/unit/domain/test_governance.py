"""Settings of repositories: what is read, what is planned, and what can only be reported."""

from dataclasses import replace

import pytest

from ecr_steward.adapters.memory.registry import AS_CREATED
from ecr_steward.domain.governance import needed_parts, needs_registry_scanning, plan_new_repository, plan_repository
from ecr_steward.domain.plan import (
    CreateRepository,
    DeleteRepositoryPolicy,
    PutScanOnPush,
    SetRepositoryPolicy,
    Violation,
)
from ecr_steward.domain.policies.rules import PolicyRules, Treatment
from ecr_steward.domain.repositories import SETTINGS as ALL_PARTS
from ecr_steward.domain.repositories import (
    Encryption,
    Mutability,
    Part,
    Repository,
    RepositorySettings,
    TagMutability,
)
from ecr_steward.domain.rules import Rule
from tests.given.rules import API, SETTINGS, STATEMENT, WANTED, service_rule

KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
NOBODY = PolicyRules(foreign=Treatment.REMOVE)


def wanting(**settings: object) -> Rule:
    wanted = RepositorySettings(**settings)  # type: ignore[arg-type]
    return service_rule(repository=lambda _: wanted)


@pytest.mark.parametrize(
    ("rule", "parts"),
    [
        (wanting(), set()),
        (wanting(policy_rules=NOBODY), {Part.POLICY}),
        (wanting(lifecycle={"rules": []}), {Part.LIFECYCLE}),
        (wanting(resource_tags={"a": "b"}), {Part.RESOURCE_TAGS}),
        (wanting(mutability=SETTINGS.mutability), {Part.DESCRIPTION}),
        (wanting(scan_on_push=False), {Part.DESCRIPTION}),
        (wanting(encryption=Encryption("KMS")), {Part.DESCRIPTION}),
        (service_rule(), ALL_PARTS),
        (service_rule(repository=None), set()),
    ],
)
def test_only_what_rules_speak_of_is_needed(rule: Rule, parts: set[Part]) -> None:
    assert needed_parts([rule], API) == parts


def test_a_plan_is_refused_when_what_it_needs_was_not_read() -> None:
    known = Repository(API, SETTINGS, frozenset({Part.DESCRIPTION}))

    with pytest.raises(ValueError, match=r"lifecycle, policy, resource tags of .*team-a/api must be read"):
        plan_repository(service_rule(), known)


def test_unread_settings_are_not_looked_at_when_the_rule_is_silent_about_them() -> None:
    known = Repository(API, RepositorySettings(scan_on_push=True), frozenset({Part.DESCRIPTION}))

    assert plan_repository(wanting(scan_on_push=True), known).is_empty


@pytest.mark.parametrize(
    ("wanted", "actual", "is_right"),
    [
        (Encryption("AES256"), Encryption("AES256"), True),
        (Encryption("KMS"), Encryption("KMS", KEY), True),
        (Encryption("KMS", KEY), Encryption("KMS", KEY), True),
        (Encryption("KMS"), Encryption("AES256"), False),
        (Encryption("KMS_DSSE"), Encryption("KMS", KEY), False),
        (Encryption("KMS", KEY), Encryption("KMS", KEY.replace("1234abcd", "other")), False),
    ],
)
def test_another_encryption_is_reported_when_ecr_cannot_change_it(
    wanted: Encryption, actual: Encryption, is_right: bool
) -> None:
    plan = plan_repository(wanting(encryption=wanted), Repository(API, replace(SETTINGS, encryption=actual)))

    assert plan.steps == ()
    if is_right:
        assert plan.violations == ()
    else:
        why = (
            f"images are encrypted with {actual}, the rulebook says {wanted}; ECR sets that for good when a repository "
            "is created: create another one and copy the images"
        )
        assert plan.violations == (Violation(rule="services", subject=API, why=why),)


def test_a_new_repository_is_created_with_its_encryption() -> None:
    rule = wanting(encryption=Encryption("KMS", KEY))

    plan = plan_new_repository([rule], API, asked_by="copies", why="a copy needs it")

    (step,) = plan.steps
    assert step == CreateRepository(
        rule="copies", why="a copy needs it", repository=API, encryption=Encryption("KMS", KEY)
    )
    assert plan.violations == ()


def test_a_new_repository_gets_all_settings_of_its_rule() -> None:
    plan = plan_new_repository([service_rule()], API, asked_by="copies", why="a copy needs it")

    assert [type(step).__name__ for step in plan.steps] == [
        "CreateRepository",
        "PutScanOnPush",
        "AddResourceTags",
        "PutLifecyclePolicy",
        "SetRepositoryPolicy",
    ]


def test_scan_on_push_is_left_when_the_registrys_rules_decide() -> None:
    rule = wanting(scan_on_push=True)
    actual = Repository(API, replace(SETTINGS, scan_on_push=False))

    assert needs_registry_scanning([rule], actual)
    (step,) = plan_repository(rule, actual).steps
    assert isinstance(step, PutScanOnPush)
    decided = plan_repository(rule, replace(actual, scanned_by_registry="CONTINUOUS_SCAN"))
    assert decided.steps == ()
    assert decided.remarks == (
        "scan on push stays off where the rulebook says on: the scanning rules of the registry decide over this "
        "repository, and say CONTINUOUS_SCAN",
    )
    assert not needs_registry_scanning([rule], Repository(API, SETTINGS))


def test_a_policy_is_deleted_when_the_rule_wants_none() -> None:
    plan = plan_repository(wanting(policy_rules=NOBODY), Repository(API, SETTINGS))

    why = "the rulebook wants no repository policy"
    assert plan.steps == (DeleteRepositoryPolicy(rule="services", why=why, repository=API),)
    assert plan_repository(wanting(policy_rules=NOBODY), Repository(API, AS_CREATED)).is_empty


def test_a_policy_that_does_not_fit_is_a_violation_and_other_settings_go_on() -> None:
    huge = {**STATEMENT, "Condition": {"StringEquals": {"aws:userid": "x" * 11_000}}}
    rule = service_rule(repository=lambda _: replace(WANTED, policy_rules=PolicyRules(statements=(huge,))))

    plan = plan_repository(rule, Repository(API, AS_CREATED))

    (violation,) = plan.violations
    assert "and ECR takes 10240" in violation.why
    assert not any(isinstance(step, SetRepositoryPolicy) for step in plan.steps)
    assert len(plan.steps) == 4


def test_a_mutability_of_a_newer_ecr_is_shown_and_left_alone() -> None:
    """core 6.6"""
    newer = TagMutability.read("MUTABLE_ON_FRIDAYS", ["dev-*"])
    actual = Repository(API, replace(SETTINGS, mutability=newer, scan_on_push=False))

    plan = plan_repository(wanting(mutability=TagMutability(Mutability.IMMUTABLE), scan_on_push=True), actual)

    assert [type(step) for step in plan.steps] == [PutScanOnPush]
    assert plan.remarks == (
        "image tags are MUTABLE_ON_FRIDAYS except dev-*, the rulebook says IMMUTABLE; left as it is: this version of "
        "ECR Steward does not know MUTABLE_ON_FRIDAYS",
    )
