from collections.abc import Iterable, Set
from dataclasses import replace

from ecr_steward.adapters.memory import InMemoryNotices, InMemoryRegistry, InMemorySeenSettings
from ecr_steward.adapters.memory.clock import noon
from ecr_steward.domain.callers import Caller, OwnRoles
from ecr_steward.domain.names import RepositoryRef
from ecr_steward.domain.notices import ViolationFound
from ecr_steward.domain.observations import RepositoryChanged
from ecr_steward.domain.repositories import SETTINGS as ALL_PARTS
from ecr_steward.domain.repositories import (
    Encryption,
    Mutability,
    Part,
    Repository,
    RepositorySettings,
    TagMutability,
    UnreadableDocument,
)
from ecr_steward.domain.rules import Mode
from ecr_steward.usecases.apply_repository_policies import apply_repository_policies
from ecr_steward.usecases.seen_settings import SettingsMemory
from tests.given.appliers import applier_of
from tests.given.rules import API, SETTINGS, rulebook

CREATED = RepositoryChanged(API, "CreateRepository")
PUSHED = RepositoryChanged(API, "push", is_arrival=True)
AS_CREATED = RepositorySettings(
    mutability=TagMutability(Mutability.MUTABLE), scan_on_push=False, encryption=Encryption("AES256")
)


def test_all_settings_are_those_of_the_rulebook_when_a_repository_is_new() -> None:
    registry = InMemoryRegistry([Repository(API, AS_CREATED)])

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
    registry = InMemoryRegistry([Repository(API, replace(SETTINGS, lifecycle=None))])

    apply_repository_policies(CREATED, rules=rulebook(), registry=registry, applier=applier_of(registry))

    assert [call.method for call in registry.calls.changes] == ["put_lifecycle_policy"]
    assert registry.settings_of(API) == SETTINGS


def test_the_lifecycle_policy_is_deleted_when_the_rulebook_leaves_ecr_nothing_to_do() -> None:
    registry = InMemoryRegistry([Repository(API, SETTINGS)])
    rules = rulebook(repository=lambda _: RepositorySettings(lifecycle={"rules": []}))

    for _ in range(2):
        apply_repository_policies(CREATED, rules=rules, registry=registry, applier=applier_of(registry))

    assert [call.method for call in registry.calls.changes] == ["delete_lifecycle_policy"]
    assert registry.settings_of(API) == replace(SETTINGS, lifecycle=None)


def test_foreign_resource_tags_stay_when_ours_are_added() -> None:
    registry = InMemoryRegistry([Repository(API, replace(SETTINGS, resource_tags={"owner": "team-a"}))])

    apply_repository_policies(CREATED, rules=rulebook(), registry=registry, applier=applier_of(registry))

    assert registry.settings_of(API).resource_tags == {"owner": "team-a", "managed-by": "ecr-steward"}


def test_settings_the_rule_is_silent_about_stay() -> None:
    registry = InMemoryRegistry([Repository(API, AS_CREATED)])
    silent = RepositorySettings(scan_on_push=True)

    apply_repository_policies(
        CREATED, rules=rulebook(repository=lambda _: silent), registry=registry, applier=applier_of(registry)
    )

    assert registry.settings_of(API) == replace(AS_CREATED, scan_on_push=True)


def test_nothing_is_written_when_the_rule_only_observes() -> None:
    registry = InMemoryRegistry([Repository(API, AS_CREATED)])

    (outcome,) = apply_repository_policies(
        CREATED, rules=rulebook(mode=Mode.OBSERVE), registry=registry, applier=applier_of(registry)
    )

    assert len(outcome.plan.steps) == 5
    assert not outcome.applied
    assert registry.calls.changes == []


def test_nothing_is_done_when_the_repository_is_gone() -> None:
    registry = InMemoryRegistry()

    (outcome,) = apply_repository_policies(CREATED, rules=rulebook(), registry=registry, applier=applier_of(registry))

    assert outcome.remark == "the repository is gone"


# ---------------------------------------------------------------- who changed it


ALICE = Caller("arn:aws:sts::111122223333:assumed-role/developer/alice", "arn:aws:iam::111122223333:role/developer")
FUNCTION = Caller(
    "arn:aws:sts::111122223333:assumed-role/ApplyRole/f", "arn:aws:iam::111122223333:role/ecr-steward/ApplyRole"
)
OWN_ROLES = OwnRoles("111122223333", "/ecr-steward/")


def test_the_outcome_names_who_made_the_change_that_is_put_right() -> None:
    registry = InMemoryRegistry([Repository(API, replace(SETTINGS, lifecycle=None))])
    change = RepositoryChanged(API, "DeleteLifecyclePolicy", ALICE)

    (outcome,) = apply_repository_policies(
        change, rules=rulebook(), registry=registry, applier=applier_of(registry), own_roles=OWN_ROLES
    )

    assert outcome.changed_by == f"DeleteLifecyclePolicy by {ALICE.name}"
    assert outcome.applied
    assert registry.settings_of(API) == SETTINGS


def test_the_outcome_names_who_made_the_change_that_is_only_reported() -> None:
    registry = InMemoryRegistry([Repository(API, AS_CREATED)])
    change = RepositoryChanged(API, "CreateRepository", ALICE)
    rules = rulebook(mode=Mode.OBSERVE)

    (outcome,) = apply_repository_policies(change, rules=rules, registry=registry, applier=applier_of(registry))

    assert outcome.changed_by == f"CreateRepository by {ALICE.name}"
    assert len(outcome.plan.steps) == 5


def test_nothing_is_read_when_the_steward_itself_made_the_change() -> None:
    registry = InMemoryRegistry([Repository(API, AS_CREATED)])
    change = RepositoryChanged(API, "SetRepositoryPolicy", FUNCTION)

    (outcome,) = apply_repository_policies(
        change, rules=rulebook(), registry=registry, applier=applier_of(registry), own_roles=OWN_ROLES
    )

    assert registry.calls.entries == []
    assert outcome.remark == "the steward itself made this change: there is nothing to look at again"
    assert outcome.plan.is_empty


# ---------------------------------------------------------------- what is read, and what cannot be


def test_only_what_the_rule_speaks_of_is_read() -> None:
    registry = Registrar([Repository(API, AS_CREATED)])
    rules = rulebook(repository=lambda _: RepositorySettings(scan_on_push=False, lifecycle=SETTINGS.lifecycle))

    apply_repository_policies(CREATED, rules=rules, registry=registry, applier=applier_of(registry))

    assert registry.parts == [{Part.DESCRIPTION, Part.LIFECYCLE}]


def test_the_registrys_scanning_rules_are_read_only_when_scan_on_push_differs() -> None:
    registry = Registrar([Repository(API, AS_CREATED)])
    registry.scanned_by_registry[API] = "CONTINUOUS_SCAN"
    rules = rulebook(repository=lambda _: RepositorySettings(scan_on_push=True))

    (outcome,) = apply_repository_policies(CREATED, rules=rules, registry=registry, applier=applier_of(registry))

    assert registry.parts == [{Part.DESCRIPTION}, {Part.REGISTRY_SCANNING}]
    assert registry.calls.changes == []
    assert "CONTINUOUS_SCAN" in outcome.plan.remarks[0]


def test_a_policy_that_cannot_be_read_stops_no_other_setting() -> None:
    registry = InMemoryRegistry([Repository(API, replace(AS_CREATED, policy=UnreadableDocument("it is no JSON")))])

    (outcome,) = apply_repository_policies(CREATED, rules=rulebook(), registry=registry, applier=applier_of(registry))

    assert replace(registry.settings_of(API), policy=SETTINGS.policy) == SETTINGS
    assert [violation.why for violation in outcome.plan.violations] == [
        "the repository policy cannot be read (it is no JSON), and what others put there is to be kept: mend it by hand"
    ]


def test_people_are_told_what_ecr_cannot_change() -> None:
    registry, notices = InMemoryRegistry([Repository(API, SETTINGS)]), InMemoryNotices()
    rules = rulebook(repository=lambda _: RepositorySettings(encryption=Encryption("KMS")))

    apply_repository_policies(CREATED, rules=rules, registry=registry, applier=applier_of(registry, notices=notices))

    (notice,) = notices.published
    assert isinstance(notice, ViolationFound)
    assert (notice.subject, notice.image_tag, notice.answer) == (API, None, "notify")
    assert notice.why.startswith("images are encrypted with AES256, the rulebook says KMS")


class Registrar(InMemoryRegistry):
    """A registry that remembers which parts of repositories it was asked for."""

    def __init__(self, repositories: Iterable[Repository]) -> None:
        super().__init__(repositories)
        self.parts: list[Set[Part]] = []

    def repository(self, of: RepositoryRef | Repository, parts: Set[Part] = ALL_PARTS) -> Repository:
        self.parts.append(parts)
        return super().repository(of, parts)


class TestSettingsThatWereSeenInOrder:
    """With and without a trail: what a push makes the steward read, and what it does not."""

    def setup_method(self) -> None:
        self.registry = InMemoryRegistry([Repository(API, SETTINGS)])
        self.seen = InMemorySeenSettings(noon)

    def answer(self, change: RepositoryChanged, *, digest: str = "a rulebook") -> str | None:
        """The remark of what comes of an event."""
        rules = replace(rulebook(), digest=digest)
        memory = SettingsMemory(rules, self.seen, noon)
        (outcome,) = apply_repository_policies(
            change, rules=rules, registry=self.registry, applier=applier_of(self.registry), memory=memory
        )
        return outcome.remark

    def test_are_not_read_again_at_the_next_push(self) -> None:
        self.answer(PUSHED)
        asked = len(self.registry.calls.entries)

        assert self.answer(PUSHED) == "its settings were seen in order within the last hour"
        assert len(self.registry.calls.entries) == asked > 0

    def test_are_read_and_mended_at_a_push_when_the_rulebook_is_another(self) -> None:
        self.answer(PUSHED)
        self.registry.change_settings(API, scan_on_push=False)

        assert self.answer(PUSHED, digest="another") is None
        assert self.registry.settings_of(API) == SETTINGS

    def test_are_read_whatever_was_seen_when_a_trail_tells_of_a_change(self) -> None:
        self.answer(PUSHED)
        self.registry.change_settings(API, scan_on_push=False)

        self.answer(CREATED)

        assert self.registry.settings_of(API) == SETTINGS

    def test_are_read_at_the_push_after_a_change_that_was_mended(self) -> None:
        self.answer(PUSHED)
        self.registry.change_settings(API, scan_on_push=False)
        self.answer(CREATED)
        self.registry.change_settings(API, scan_on_push=False)

        self.answer(PUSHED)

        assert self.registry.settings_of(API) == SETTINGS

    def test_are_read_at_each_push_when_the_rules_were_made_of_no_file(self) -> None:
        self.answer(PUSHED, digest="")
        self.registry.change_settings(API, scan_on_push=False)

        self.answer(PUSHED, digest="")

        assert self.registry.settings_of(API) == SETTINGS
