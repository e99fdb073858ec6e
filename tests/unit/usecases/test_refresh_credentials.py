"""Credentials are fetched, tried, and only then published; one that fails leaves the others their turn."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_steward.adapters.memory import Calls, InMemoryLogins, InMemoryNotices, InMemoryRole, InMemorySecrets
from ecr_steward.domain.credentials import TOKEN_LIFE, SecretText
from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.notices import CredentialRefreshed
from ecr_steward.domain.outcome import CredentialOutcome
from ecr_steward.domain.plan import PublishCredential
from ecr_steward.domain.rules import Credential, CredentialRegistry, Rules, SecretSink
from ecr_steward.errors import (
    AccessDeniedError,
    AccountNotConnectedError,
    CredentialRefusedError,
    ForeignSecretError,
    RefusedByRegistryError,
    RegistryUnavailableError,
    RoleNotAssumableError,
    StewardError,
    ThrottledError,
)
from ecr_steward.usecases.refresh_credentials import refresh_credentials
from lab.clock import SettableClock

HOME, AWAY = RegistryRef("111122223333", "us-east-1"), RegistryRef("222233334444", "us-east-1")
HOST = "111122223333.dkr.ecr.us-east-1.amazonaws.com"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ON_PREM = Credential(
    "on-prem",
    "pull-only",
    (CredentialRegistry(), CredentialRegistry("222233334444")),
    (SecretSink("ecr-steward/on-prem"), SecretSink("ecr-steward/copy")),
)
LAB = Credential("lab", "pull-only", (CredentialRegistry(),), (SecretSink("ecr-steward/lab"),))


@dataclass
class House:
    """The fakes, in two connected accounts with a pull-only role each."""

    calls: Calls = field(default_factory=Calls)
    clock: SettableClock = field(default_factory=lambda: SettableClock(NOON))

    def __post_init__(self) -> None:
        self.logins = InMemoryLogins(self.clock, self.calls)
        self.secrets = InMemorySecrets(self.clock, self.calls)
        self.notices = InMemoryNotices(self.calls)
        self.logins.roles = {(account, "pull-only"): InMemoryRole() for account in (HOME.account, AWAY.account)}

    def refresh(self, *credentials: Credential) -> tuple[CredentialOutcome, ...]:
        return refresh_credentials(
            HOME,
            rules=Rules((), credentials=credentials),
            logins=self.logins,
            secrets=self.secrets,
            notices=self.notices,
            now=self.clock,
        )

    def config(self, secret: str) -> dict[str, Any]:
        text = self.secrets.texts(secret)[-1]
        assert text is not None
        config: dict[str, Any] = json.loads(text)
        return config


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def has_leaked() -> Iterator[Callable[[House, object], bool]]:
    """Whether any password that was given out is to be found in what is told to people."""

    def has_leaked(house: House, *told: object) -> bool:
        text = "\n".join(f"{each}\n{each!r}" for each in told)
        return any(password in text for password in house.logins.passwords)

    yield has_leaked


# ---------------------------------------------------------------- all is well


def test_every_sink_gets_the_logins_of_all_registries_and_is_announced(house: House) -> None:
    (outcome,) = house.refresh(ON_PREM)

    assert house.config("ecr-steward/on-prem") == house.config("ecr-steward/copy")
    assert set(house.config("ecr-steward/on-prem")["auths"]) == {HOST, HOST.replace(HOME.account, AWAY.account)}
    assert [each.sink for each in house.notices.published] == ["ecr-steward/on-prem", "ecr-steward/copy"]
    assert house.notices.published[0] == CredentialRefreshed(
        "on-prem", (HOME, AWAY), "ecr-steward/on-prem", "pull-only", NOON + TOKEN_LIFE
    )
    assert (outcome.subject, outcome.rule, outcome.applied, outcome.error) == (
        "credential on-prem",
        "on-prem",
        True,
        None,
    )
    assert [step.why for step in outcome.plan.steps] == [
        "there is no secret ecr-steward/on-prem",
        "there is no secret ecr-steward/copy",
    ]


def test_logins_are_tried_where_they_lie_and_nothing_is_written_when_the_schedule_ticks_again(house: House) -> None:
    house.refresh(ON_PREM)
    house.calls.clear()

    (outcome,) = house.refresh(ON_PREM)

    assert house.calls.methods == ["read", *["fetch", "may_pull"] * 2, "read"]
    assert outcome.plan.is_empty
    assert outcome.remark == "every sink is fresh"


def test_a_login_that_died_early_is_replaced_at_once_and_counted_as_dead(house: House) -> None:
    """aws M9."""
    house.refresh(ON_PREM)
    dead = house.config("ecr-steward/on-prem")["auths"][HOST]
    house.logins.dead.add(dead["password"])

    house.clock.now += timedelta(hours=2)
    (outcome,) = house.refresh(ON_PREM)

    assert [step.replaces_dead for step in outcome.plan.steps if isinstance(step, PublishCredential)] == [True, True]
    assert {step.why for step in outcome.plan.steps} == {f"its login to {HOME} is refused before it is 6 hours old"}
    assert house.config("ecr-steward/copy")["auths"][HOST] != dead
    assert house.refresh(ON_PREM)[0].remark == "every sink is fresh"


def test_a_login_that_another_took_out_of_the_secret_is_put_back(house: House) -> None:
    house.refresh(LAB)
    stored = house.secrets.read("ecr-steward/lab")
    assert stored is not None
    assert stored.current is not None
    house.secrets.put("ecr-steward/lab", SecretText('{"auths": {}}'), stored.current.id)

    (outcome,) = house.refresh(LAB)

    assert [step.why for step in outcome.plan.steps] == [f"its login to {HOME} is refused before it is 6 hours old"]
    assert HOST in house.config("ecr-steward/lab")["auths"]


def test_it_is_reported_at_the_next_tick_that_a_role_cannot_be_assumed_any_more(house: House) -> None:
    house.refresh(LAB)
    house.logins.roles = {(HOME.account, "another"): InMemoryRole()}

    (outcome,) = house.refresh(LAB)

    assert isinstance(outcome.error, RoleNotAssumableError)


def test_logins_are_replaced_when_half_of_their_life_is_over(house: House) -> None:
    house.refresh(LAB)
    old = house.config("ecr-steward/lab")["auths"][HOST]

    house.clock.now += TOKEN_LIFE / 2
    (outcome,) = house.refresh(LAB)

    assert house.config("ecr-steward/lab")["auths"][HOST] != old
    assert len(outcome.plan.steps) == 1
    assert len(house.notices.published) == 2


def test_logins_of_others_and_other_keys_stay_when_a_secret_is_refreshed(house: House) -> None:
    others = {"auths": {"ghcr.io": {"auth": "b3RoZXI="}}, "credHelpers": {"gcr.io": "gcloud"}}
    house.secrets.hold("ecr-steward/lab", json.dumps(others))

    house.refresh(LAB)

    config = house.config("ecr-steward/lab")
    assert config["auths"]["ghcr.io"] == {"auth": "b3RoZXI="}
    assert config["credHelpers"] == {"gcr.io": "gcloud"}
    assert HOST in config["auths"]


def test_nothing_is_lost_of_what_others_wrote_while_logins_were_tried(house: House) -> None:
    house.refresh(LAB)
    house.clock.now += TOKEN_LIFE
    others = json.dumps({"auths": {"ghcr.io": {"auth": "b3RoZXI="}}})
    try_pull = house.logins.may_pull

    def meanwhile(token: Any) -> bool:
        house.secrets.hold("ecr-steward/lab", others)
        return try_pull(token)

    house.logins.may_pull = meanwhile  # type: ignore[method-assign]
    house.refresh(LAB)

    assert set(house.config("ecr-steward/lab")["auths"]) == {"ghcr.io", HOST}


def test_a_secret_is_merged_with_when_somebody_else_created_it_while_logins_were_tried(house: House) -> None:
    try_pull = house.logins.may_pull

    def meanwhile(token: Any) -> bool:
        house.secrets.hold("ecr-steward/lab", json.dumps({"auths": {"ghcr.io": {}}}))
        return try_pull(token)

    house.logins.may_pull = meanwhile  # type: ignore[method-assign]
    (outcome,) = house.refresh(LAB)

    assert outcome.error is None
    assert set(house.config("ecr-steward/lab")["auths"]) == {"ghcr.io", HOST}


def test_a_secret_is_written_again_when_somebody_else_has_written_it_since(house: House) -> None:
    house.refresh(LAB)
    house.secrets.hold("ecr-steward/lab", json.dumps({"auths": {}}))

    house.refresh(LAB)

    assert HOST in house.config("ecr-steward/lab")["auths"]


def test_a_secret_is_written_again_when_the_rulebook_names_another_role(house: House) -> None:
    house.logins.roles[HOME.account, "tighter"] = InMemoryRole()
    house.refresh(LAB)

    (outcome,) = house.refresh(replace(LAB, role="tighter"))

    assert [step.why for step in outcome.plan.steps] == ["the secret was written for other registries or another role"]
    assert len(house.secrets.texts("ecr-steward/lab")) == 2


def test_an_empty_secret_is_filled_without_being_created(house: House) -> None:
    house.secrets.hold("ecr-steward/lab")

    house.refresh(LAB)

    assert "create" not in house.calls.methods
    assert HOST in house.config("ecr-steward/lab")["auths"]


# ---------------------------------------------------------------- what is refused


def refused(house: House, role: InMemoryRole) -> None:
    house.logins.roles[AWAY.account, "pull-only"] = role


def without_role(house: House) -> None:
    del house.logins.roles[AWAY.account, "pull-only"]
    house.logins.roles[AWAY.account, "some-other-role"] = InMemoryRole()


def not_connected(house: House) -> None:
    del house.logins.roles[AWAY.account, "pull-only"]


def own_role(house: House) -> None:
    house.logins.own_role = (AWAY.account, "pull-only")


REFUSALS: list[tuple[Callable[[House], None], type[StewardError], str]] = [
    (lambda house: refused(house, InMemoryRole(may_push=True)), CredentialRefusedError, "may push"),
    (lambda house: refused(house, InMemoryRole(may_pull=False)), CredentialRefusedError, "may not pull"),
    (own_role, CredentialRefusedError, "caller itself"),
    (without_role, RoleNotAssumableError, "cannot be assumed"),
    (not_connected, AccountNotConnectedError, "not connected"),
    (
        lambda house: house.calls.fail_before("may_pull", RegistryUnavailableError("503")),
        RegistryUnavailableError,
        "503",
    ),
    (lambda house: house.calls.fail_after("may_push", ThrottledError("429")), ThrottledError, "429"),
]
NAMES = ["may push", "may not pull", "own role", "role not assumable", "not connected", "trial 503", "trial 429"]


@pytest.mark.parametrize(("spoil", "error", "word"), REFUSALS, ids=NAMES)
def test_nothing_is_published_and_the_others_go_on_when_one_login_is_refused(
    house: House, spoil: Callable[[House], None], error: type[StewardError], word: str, has_leaked: Any
) -> None:
    spoil(house)

    failed, done = house.refresh(ON_PREM, LAB)

    assert type(failed.error) is error
    assert failed.error is not None
    assert failed.error.rule == "on-prem"
    assert word in str(failed.error)
    assert (failed.applied, len(failed.plan.steps)) == (False, 2)
    assert house.secrets.names == {"ecr-steward/lab"}
    assert (done.applied, done.error) == (True, None)
    assert [each.credential for each in house.notices.published] == ["lab"]
    assert not has_leaked(house, failed, failed.error, house.calls.entries, house.notices.published)


def test_old_logins_stay_as_they_are_when_their_role_may_push_one_day(house: House) -> None:
    house.refresh(LAB)
    before = house.secrets.texts("ecr-steward/lab")
    house.logins.roles[HOME.account, "pull-only"] = InMemoryRole(may_push=True)
    house.clock.now += TOKEN_LIFE

    (outcome,) = house.refresh(LAB)

    assert isinstance(outcome.error, CredentialRefusedError)
    assert house.secrets.texts("ecr-steward/lab") == before


def test_every_registry_is_told_when_several_refuse(house: House) -> None:
    for account in (HOME.account, AWAY.account):
        house.logins.roles[account, "pull-only"] = InMemoryRole(may_pull=False)

    (outcome,) = house.refresh(ON_PREM)

    assert outcome.error is not None
    told = "\n".join([str(outcome.error), *outcome.error.__notes__])
    assert str(HOME) in told
    assert str(AWAY) in told


@pytest.mark.parametrize(
    "text", ["hunter2", '{"username": "AWS", "password": "hunter2"}', None], ids=["plain text", "other JSON", "binary"]
)
def test_a_foreign_secret_stays_while_other_sinks_and_credentials_are_refreshed(house: House, text: str | None) -> None:
    house.secrets.hold("ecr-steward/on-prem", text)

    outcome, other = house.refresh(ON_PREM, LAB)

    assert isinstance(outcome.error, ForeignSecretError)
    assert "hunter2" not in f"{outcome!r} {outcome.error!r}"
    assert house.secrets.texts("ecr-steward/on-prem") == [text]
    assert [step.sink for step in outcome.plan.steps] == ["ecr-steward/copy"]  # type: ignore[union-attr]
    assert HOST in house.config("ecr-steward/copy")["auths"]
    assert other.error is None


def test_nothing_is_fetched_when_the_only_sink_is_foreign(house: House) -> None:
    house.secrets.hold("ecr-steward/lab", "hunter2")

    house.refresh(LAB)

    assert house.calls.methods == ["read"]


def test_a_secret_marked_for_deletion_fails_alone(house: House) -> None:
    house.secrets.deleted.add("ecr-steward/on-prem")

    outcome, other = house.refresh(ON_PREM, LAB)

    assert isinstance(outcome.error, RefusedByRegistryError)
    assert HOST in house.config("ecr-steward/copy")["auths"]
    assert other.error is None


def test_the_sinks_that_were_written_are_told_when_a_later_one_is_denied(house: House) -> None:
    house.refresh(ON_PREM)
    house.clock.now += TOKEN_LIFE
    house.calls.fail_before("put", AccessDeniedError("secretsmanager:PutSecretValue"))

    (outcome,) = house.refresh(ON_PREM)

    assert isinstance(outcome.error, AccessDeniedError)
    assert outcome.applied
    assert [step.sink for step in outcome.plan.steps] == ["ecr-steward/copy"]  # type: ignore[union-attr]


def test_the_next_tick_finds_a_fresh_sink_when_the_answer_to_a_write_was_lost(house: House) -> None:
    house.calls.fail_after("create", RegistryUnavailableError("connection lost"))
    (outcome,) = house.refresh(LAB)
    assert isinstance(outcome.error, RegistryUnavailableError)

    (outcome,) = house.refresh(LAB)

    assert outcome.plan.is_empty
    assert len(house.secrets.texts("ecr-steward/lab")) == 1


def test_a_sink_counts_as_written_when_only_its_notice_was_lost(house: House) -> None:
    house.calls.fail_before("publish", RegistryUnavailableError("bus"))

    (outcome,) = house.refresh(LAB)

    assert isinstance(outcome.error, RegistryUnavailableError)
    assert (outcome.applied, len(outcome.plan.steps)) == (True, 1)


# ---------------------------------------------------------------- whatever the world is like

SINKS = ("ecr-steward/a", "ecr-steward/b", "ecr-steward/c")
ROLES = st.builds(InMemoryRole, may_pull=st.booleans(), may_push=st.booleans())
ACCOUNTS = st.dictionaries(st.sampled_from([HOME.account, AWAY.account]), ROLES)
CONTENTS = st.dictionaries(
    st.sampled_from(SINKS), st.lists(st.sampled_from(["{}", '{"auths": {"ghcr.io": {}}}', "text", None]), max_size=1)
)


@st.composite
def credential_lists(draw: st.DrawFn) -> list[Credential]:
    registries = st.lists(st.sampled_from(ON_PREM.registries), min_size=1, unique=True)
    free = draw(st.permutations(SINKS))
    cut = draw(st.integers(1, 2))
    return [
        Credential("one", "pull-only", tuple(draw(registries)), tuple(map(SecretSink, free[:cut]))),
        Credential("two", "pull-only", tuple(draw(registries)), tuple(map(SecretSink, free[cut:]))),
    ]


@given(credential_lists(), ACCOUNTS, CONTENTS, st.integers(0, 20))
def test_only_tried_logins_are_published_and_then_nothing_is_left_to_do(
    credentials: list[Credential], roles: dict[str, InMemoryRole], contents: dict[str, list[str | None]], hours: int
) -> None:
    house = House()
    house.logins.roles = {(account, "pull-only"): role for account, role in roles.items()}
    for secret, texts in contents.items():
        house.secrets.hold(secret, *texts)

    outcomes = house.refresh(*credentials)

    for credential, outcome in zip(credentials, outcomes, strict=True):
        all_tried = all(
            roles.get(registry.registry(HOME).account) == InMemoryRole(may_pull=True, may_push=False)
            for registry in credential.registries
        )
        for sink in credential.sinks:
            is_foreign = contents.get(sink.secret, [])[-1:] in (["text"], [None])
            texts = house.secrets.texts(sink.secret) if sink.secret in house.secrets.names else []
            assert any("canary" in (text or "") for text in texts) == (all_tried and not is_foreign)
        assert not any(password in repr(outcome) for password in house.logins.passwords)
    house.clock.now += timedelta(hours=hours)
    again = house.refresh(*credentials)
    for first, second in zip(outcomes, again, strict=True):
        if first.error is None and hours < 6:
            assert second.plan.is_empty
        if first.error is None and hours >= 6:
            assert len(second.plan.steps) == len(first.plan.steps)
