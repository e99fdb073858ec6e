"""The schedule ticks: outcomes, metrics, exits, and not a word of any login."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from ecr_steward import bootstrap
from ecr_steward.adapters.memory import (
    Calls,
    InMemoryHints,
    InMemoryLeases,
    InMemoryLogins,
    InMemoryOwnTags,
    InMemoryRegistrySettings,
    InMemoryRole,
    InMemorySecrets,
    InMemorySeenSettings,
)
from ecr_steward.bootstrap import App
from ecr_steward.domain.deadline import NEVER
from ecr_steward.domain.rules import Credential, CredentialRegistry, Rules, SecretSink
from ecr_steward.errors import AccessDeniedError, OutOfTimeError, ThrottledError
from functions.refresh_credentials.app import lambda_handler as refresh_credentials
from tests.given.slow import Slow
from tests.given.worlds import world

HERE, THERE = "111122223333", "222233334444"
ON_PREM, LAB = (
    Credential(name, "pull-only", (CredentialRegistry(account),), (SecretSink(f"ecr-steward/{name}"),))
    for name, account in (("on-prem", None), ("lab", THERE))
)


def now() -> datetime:
    return datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass
class Refresh:
    """What the handler finds behind ``bootstrap.app``."""

    calls: Calls = field(default_factory=Calls)

    def __post_init__(self) -> None:
        self.logins = InMemoryLogins(now, self.calls)
        self.secrets = InMemorySecrets(now, self.calls)
        self.logins.roles = {(account, "pull-only"): InMemoryRole() for account in (HERE, THERE)}

    def has_told(self, text: str) -> bool:
        """Whether a password stands in a text, as it is or as HTTP Basic writes it."""
        basics = [base64.b64encode(f"AWS:{password}".encode()).decode() for password in self.logins.passwords]
        return any(secret in text for secret in (*self.logins.passwords, *basics))


@pytest.fixture
def refresh(house: Any, monkeypatch: pytest.MonkeyPatch) -> Refresh:
    refresh, empty = Refresh(), world([], {})
    app = App(
        rules=Rules((), credentials=(ON_PREM, LAB)),
        registry=empty.registry,
        registry_settings=InMemoryRegistrySettings(),
        content=empty.content,
        notices=house.notices,
        queue=house.queue,
        sweep_queue=house.parts,
        sweep_parts=house.under_way,
        scans=empty.scans,
        logins=refresh.logins,
        secrets=refresh.secrets,
        now=now,
        switch=house.switch,
        brakes=house.brakes,
        journal=house.journal,
        leases=InMemoryLeases(),
        own_tags=InMemoryOwnTags(now),
        seen_settings=InMemorySeenSettings(now),
        copied_settings=InMemorySeenSettings(now),
        hints=InMemoryHints(),
        who="a-function",
    )
    monkeypatch.setattr(bootstrap, "app", lambda _deadline=NEVER: app)
    return refresh


@pytest.fixture
def tick(load_event: Callable[[str], Any]) -> Any:
    return load_event("schedule/refresh")


def metrics_in(text: str) -> dict[str, float]:
    lines = [json.loads(line) for line in text.splitlines()]
    return {
        metric["Name"]: sum(value) if isinstance(value := line[metric["Name"]], list) else value
        for line in lines
        if "_aws" in line
        for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    }


def test_every_credential_has_a_line_that_says_what_was_done(
    refresh: Refresh, tick: Any, context: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = refresh_credentials(tick, context)

    assert [(line["subject"], line["applied"]) for line in answer["outcomes"]] == [
        ("credential on-prem", True),
        ("credential lab", True),
    ]
    (step,) = answer["outcomes"][0]["steps"]
    assert step == {
        "step": "PublishCredential",
        "what": "publish logins to 111122223333/us-east-1 as pull-only in the secret ecr-steward/on-prem",
        "why": "there is no secret ecr-steward/on-prem",
    }
    assert metrics_in(capsys.readouterr().out) == {"CredentialsRefreshed": 2}


def test_logins_are_renewed_whatever_the_switch_says(refresh: Refresh, tick: Any, context: Any, house: Any) -> None:
    house.switch.calls.fail_before("paused", AccessDeniedError("not allowed: dynamodb:GetItem"))

    answer = refresh_credentials(tick, context)

    assert [line["applied"] for line in answer["outcomes"]] == [True, True]
    assert house.switch.calls.methods == []


def test_a_second_tick_says_that_every_sink_is_fresh(refresh: Refresh, tick: Any, context: Any) -> None:
    refresh_credentials(tick, context)

    answer = refresh_credentials(tick, context)

    assert [line["remarks"] for line in answer["outcomes"]] == [["every sink is fresh"]] * 2


def test_the_failure_waits_for_a_person_and_the_other_credential_is_fresh_when_one_is_refused(
    refresh: Refresh, tick: Any, context: Any, house: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    refresh.logins.roles[HERE, "pull-only"] = InMemoryRole(may_push=True)

    answer = refresh_credentials(tick, context)

    (failed,) = house.failures.failed
    assert (failed.error, failed.rule, failed.event) == ("CredentialRefusedError", "on-prem", tick)
    assert answer["failed"] == "CredentialRefusedError"
    assert refresh.secrets.names == {"ecr-steward/lab"}
    assert metrics_in(capsys.readouterr().out) == {
        "CredentialsRefreshed": 1,
        "CredentialsFailed": 1,
        "EventsFailed": 1,
    }


def test_the_failure_names_every_credential_that_failed(refresh: Refresh, tick: Any, context: Any, house: Any) -> None:
    for account in (HERE, THERE):
        refresh.logins.roles[account, "pull-only"] = InMemoryRole(may_pull=False)

    refresh_credentials(tick, context)

    (failed,) = house.failures.failed
    assert "the credential on-prem" in failed.message
    assert "the credential lab" in failed.message


def test_the_tick_is_delivered_again_when_trying_again_may_help(
    refresh: Refresh, tick: Any, context: Any, house: Any
) -> None:
    refresh.calls.fail_before("fetch", ThrottledError("slow down"))

    with pytest.raises(ThrottledError):
        refresh_credentials(tick, context)

    assert house.failures.failed == []
    assert refresh.secrets.names == {"ecr-steward/lab"}


@pytest.mark.parametrize("event", [None, {}, {"detail-type": "Scheduled Event"}, "tick"], ids=str)
def test_nothing_is_refreshed_when_the_event_is_no_tick(refresh: Refresh, event: Any, context: Any, house: Any) -> None:
    refresh_credentials(event, context)

    assert [failed.error for failed in house.failures.failed] == ["MalformedEventError"]
    assert refresh.calls.methods == []


@pytest.mark.parametrize("role", [InMemoryRole(), InMemoryRole(may_push=True), InMemoryRole(may_pull=False)], ids=str)
@pytest.mark.parametrize(
    "text",
    [None, "{}", '{"auths": {"ghcr.io": {"auth": "canary-of-others"}}}', "canary-of-others"],
    ids=["bytes", "empty", "others", "plain text"],
)
def test_no_login_is_in_anything_that_is_told(
    refresh: Refresh,
    tick: Any,
    context: Any,
    house: Any,
    capsys: pytest.CaptureFixture[str],
    *,
    role: InMemoryRole,
    text: str | None,
) -> None:  # GHSA-c37v-3c8w-crq8
    refresh.logins.roles[HERE, "pull-only"] = role
    refresh.secrets.hold("ecr-steward/on-prem", text)

    answer = refresh_credentials(tick, context)

    output = capsys.readouterr()
    told = f"{answer!r} {output.out} {output.err} {house.failures.failed!r} {house.notices.published!r}"
    assert refresh.logins.passwords
    assert not refresh.has_told(told)
    assert "canary-of-others" not in told
    assert "lab" in told


def test_a_tick_ends_in_time_and_the_next_attempt_goes_on_when_each_answer_is_slow(
    refresh: Refresh, tick: Any, house: Any
) -> None:
    slow, timeout = Slow(25.0), 300
    refresh.calls.each = slow.answer
    with pytest.raises(OutOfTimeError):
        slow.invoke(refresh_credentials, tick, timeout)
    published = slow.answers["create"]

    slow.invoke(refresh_credentials, tick, timeout)

    assert published == 1
    assert slow.answers["create"] == 2
    assert house.failures.failed == []
