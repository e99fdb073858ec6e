"""Registries of other accounts: governed like our own, and one that does not let us in stops nobody else."""

from dataclasses import dataclass, field

import pytest

from ecr_steward.adapters.memory import InMemoryNotices, InMemoryReplicationQueue
from ecr_steward.adapters.memory.clock import noon
from ecr_steward.domain.images import Image
from ecr_steward.domain.names import ImageRef, RegistryRef, RepositoryRef, image_tag
from ecr_steward.domain.outcome import Outcome, SweepOutcome
from ecr_steward.domain.rules import Destination, ReplicationRules, Rules
from ecr_steward.errors import AccessDeniedError, AccountNotConnectedError, RoleNotAssumableError
from ecr_steward.usecases.reconcile_registry import reconcile_registry
from ecr_steward.usecases.replicate_image import replicate_image
from tests.given.appliers import applier_of
from tests.given.rules import API, AWAY, HOME, OF_HOME, SETTINGS, service_rule
from tests.given.worlds import World, hands_of, manifest, world

TWO, THREE = (RegistryRef(account, HOME.region) for account in ("222233334444", "333344445555"))
IMAGE = manifest("image")
RELEASE = RepositoryRef(TWO, "release/team-a/api")
TO_TWO_AND_AWAY = ReplicationRules(
    (Destination(account=TWO.account, repository="release/{name}"), Destination(region=AWAY.region))
)
REFUSALS = [
    pytest.param(RoleNotAssumableError("account 222233334444 does not let us act as its role"), id="role-refused"),
    pytest.param(AccountNotConnectedError("account 222233334444 is not connected"), id="not-connected"),
]


@dataclass
class Steward:
    """Sweeps home, account two and account three, and copies what it is asked to."""

    world: World = field(default_factory=lambda: world([IMAGE], {"1.4.2": IMAGE}))
    notices: InMemoryNotices = field(default_factory=InMemoryNotices)
    queue: InMemoryReplicationQueue = field(default_factory=InMemoryReplicationQueue)

    def __post_init__(self) -> None:
        copied = service_rule(match=OF_HOME, replicate=(TO_TWO_AND_AWAY,))
        self.rules = Rules((copied, service_rule(name="in other accounts", replicate=())))

    def sweep(self) -> SweepOutcome:
        return reconcile_registry(
            [HOME, TWO, THREE], rules=self.rules, hands=hands_of(self.world, self.notices, self.queue)
        )

    def replicate(self) -> tuple[Outcome, ...]:
        return replicate_image(
            ImageRef(API, IMAGE.digest),
            rules=self.rules,
            registry=self.world.registry,
            content=self.world.content,
            scans=self.world.scans,
            notices=self.notices,
            now=noon,
            applier=applier_of(self.world.registry, self.world.content),
        )


@pytest.fixture
def steward() -> Steward:
    return Steward()


def test_image_arrives_in_another_account_under_another_name_when_the_rule_says_so(steward: Steward) -> None:
    outcomes = steward.replicate()

    assert [outcome.error for outcome in outcomes] == [None, None]
    assert steward.world.registry.tags_of(ImageRef(RELEASE, IMAGE.digest)) == {"1.4.2"}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_the_other_destination_gets_the_image_when_one_account_does_not_let_us_in(
    steward: Steward, refusal: AccessDeniedError
) -> None:
    steward.world.registry.calls.close(TWO.account, refusal)

    refused, done = steward.replicate()

    assert refused.error is refusal
    assert refused.error.rule == "services"
    assert done.error is None
    assert steward.world.registry.tags_of(ImageRef(API.in_registry(AWAY), IMAGE.digest)) == {"1.4.2"}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_the_other_accounts_are_swept_when_one_does_not_let_us_in(steward: Steward, refusal: AccessDeniedError) -> None:
    registry = steward.world.registry
    there = API.in_registry(THREE)
    registry.create_missing(there)
    registry.calls.close(TWO.account, refusal)

    found = steward.sweep()

    assert registry.settings_of(API) == registry.settings_of(there) == SETTINGS
    assert [job.image for job in steward.queue.requested] == [ImageRef(API, IMAGE.digest)]  # for AWAY
    assert found.failures
    assert all(TWO.account in failure.subject and failure.why == str(refusal) for failure in found.failures)


def test_an_account_is_mended_by_the_next_sweep_when_it_lets_us_in_again(steward: Steward) -> None:
    registry = steward.world.registry
    there = API.in_registry(TWO)
    registry.create_missing(there)
    registry.calls.close(TWO.account, RoleNotAssumableError("not now"))
    steward.sweep()
    registry.calls.open(TWO.account)

    found = steward.sweep()

    assert registry.settings_of(there) == SETTINGS
    assert found.failures == ()


def test_a_push_in_a_connected_account_is_governed_when_its_events_are_lost(steward: Steward) -> None:
    registry = steward.world.registry
    there = ImageRef(API.in_registry(TWO), IMAGE.digest)
    registry.create_missing(there.repository)
    registry.push(Image(there, frozenset({image_tag("2.0.0"), image_tag("latest")})))

    steward.sweep()

    assert registry.tags_of(there) == {"2.0.0", "2.0-latest", "2-latest"}
