"""When a sink is due, and what is written into it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_steward.domain.credentials import (
    DUE_AFTER,
    AuthorizationToken,
    SecretText,
    SecretVersion,
    StoredSecret,
    merge_docker_config,
    plan_sink,
    registries_of,
    version_stamp,
)
from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.rules import Credential, CredentialRegistry, SecretSink
from ecr_steward.errors import ForeignSecretError

HOME, AWAY = RegistryRef("111122223333", "us-east-1"), RegistryRef("222233334444", "eu-west-1")
SINK = SecretSink("ecr-steward/on-prem")
CREDENTIAL = Credential(
    "on-prem", "pull-only", (CredentialRegistry(), CredentialRegistry("222233334444", "eu-west-1")), (SINK,)
)
STAMP = version_stamp("pull-only", (HOME, AWAY))
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
CANARY = "canary-password"


def token(registry: RegistryRef = HOME, password: str = CANARY) -> AuthorizationToken:
    endpoint = f"https://{registry.account}.dkr.ecr.{registry.region}.amazonaws.com"
    return AuthorizationToken(registry, "pull-only", endpoint, "AWS", SecretText(password), NOON + timedelta(hours=12))


def holding(text: str | None, *, version: str = f"{STAMP}1", age: timedelta = timedelta()) -> StoredSecret:
    return StoredSecret(SecretVersion(version, NOON - age, SecretText(text) if text is not None else None))


def why_due(stored: StoredSecret | None, credential: Credential = CREDENTIAL) -> str | None:
    step = plan_sink(credential, SINK, stored, home=HOME, now=NOON)
    return step.why if step else None


# ---------------------------------------------------------------- when a sink is due


def test_nothing_is_planned_while_the_logins_are_in_the_first_half_of_their_life() -> None:
    assert why_due(holding('{"auths": {}}')) is None
    assert why_due(holding('{"auths": {}}', age=DUE_AFTER - timedelta(seconds=1))) is None


@pytest.mark.parametrize(
    ("stored", "why"),
    [
        (None, "there is no secret ecr-steward/on-prem"),
        (StoredSecret(None), "the secret holds nothing yet"),
        (holding("{}", age=DUE_AFTER), "its logins are 6 hours old, and live for 12"),
        (holding("{}", age=timedelta(hours=13, minutes=30)), "its logins are 13.5 hours old, and live for 12"),
        (
            holding("{}", version="5a3f0c4e-0000-0000-0000-000000000000"),
            "somebody else has written the secret, so nobody knows how old its logins are",
        ),
        (
            holding("{}", version=version_stamp("pull-only", (HOME,)) + "1"),
            "the secret was written for other registries or another role",
        ),
        (
            holding("{}", version=version_stamp("other", (HOME, AWAY)) + "1"),
            "the secret was written for other registries or another role",
        ),
    ],
)
def test_a_sink_is_due_when_its_version_is_missing_old_or_not_for_this(stored: StoredSecret | None, why: str) -> None:
    step = plan_sink(CREDENTIAL, SINK, stored, home=HOME, now=NOON)

    assert step is not None
    assert step.why == why
    assert (step.rule, step.sink, step.role, step.registries) == ("on-prem", SINK.secret, "pull-only", (HOME, AWAY))


def test_the_step_says_where_to_what_and_as_whom_when_it_is_read() -> None:
    step = plan_sink(CREDENTIAL, SINK, None, home=HOME, now=NOON)

    assert str(step) == (
        "publish logins to 111122223333/us-east-1, 222233334444/eu-west-1 as pull-only "
        "in the secret ecr-steward/on-prem"
    )


def test_a_registry_named_twice_counts_once_when_one_of_its_names_is_home() -> None:
    named_twice = Credential("x", "r", (CredentialRegistry(region="us-east-1"), CredentialRegistry()), (SINK,))

    assert registries_of(named_twice, HOME) == (HOME,)


def test_the_stamp_leaves_room_for_what_makes_a_version_id_unique() -> None:
    assert 32 <= len(STAMP) + 32 <= 64  # ClientRequestToken in the PutSecretValue API reference
    assert version_stamp("pull-only", (AWAY, HOME)) == STAMP


# ---------------------------------------------------------------- what somebody else has put there

FOREIGN = [
    ("hunter2", "no JSON"),
    ("", "no JSON"),
    ('"a text"', "without `auths`"),
    ('["auths"]', "without `auths`"),
    ('{"username": "AWS", "password": "hunter2"}', "without `auths`"),
    ('{"auths": ["hunter2"]}', "map no host"),
    ('{"auths": {"registry": "hunter2"}}', "map no host"),
    ("[" * 100_000, "no JSON"),
    (None, "bytes"),
]


@pytest.mark.parametrize(("text", "word"), FOREIGN, ids=[str(word) + str(n) for n, (_, word) in enumerate(FOREIGN)])
def test_a_secret_is_foreign_when_it_holds_no_docker_configuration(text: str | None, word: str) -> None:
    stored = holding(text, version="somebody-else")

    with pytest.raises(ForeignSecretError, match=word) as error:
        why_due(stored)
    with pytest.raises(ForeignSecretError):
        merge_docker_config(SINK.secret, stored, [token()])
    told = f"{error.value!r} {error.value.__cause__!r}"
    assert "hunter2" not in told
    assert SINK.secret in told


def test_an_empty_object_is_ours_to_fill() -> None:
    assert why_due(holding("{}", version="somebody-else")) is not None


# ---------------------------------------------------------------- what is written


def test_a_login_is_written_as_docker_reads_it() -> None:
    config = json.loads(merge_docker_config(SINK.secret, None, [token(), token(AWAY, "other")]).reveal)

    assert config == {
        "auths": {
            "111122223333.dkr.ecr.us-east-1.amazonaws.com": {
                "auth": "QVdTOmNhbmFyeS1wYXNzd29yZA==",
                "username": "AWS",
                "password": CANARY,
            },
            "222233334444.dkr.ecr.eu-west-1.amazonaws.com": {
                "auth": "QVdTOm90aGVy",
                "username": "AWS",
                "password": "other",
            },
        }
    }


def test_the_host_keeps_its_port_and_loses_its_scheme() -> None:
    local = AuthorizationToken(HOME, "r", "http://127.0.0.1:5000/", "AWS", SecretText("x"), NOON)

    assert local.host == "127.0.0.1:5000"


HOSTS = st.sampled_from(
    ["ghcr.io", "index.docker.io/v1/", "registry:5000", "111122223333.dkr.ecr.us-east-1.amazonaws.com"]
)
JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3))
LOGINS = st.dictionaries(st.text(max_size=5), JSON, max_size=3)
CONFIGS = st.fixed_dictionaries(
    {"auths": st.dictionaries(HOSTS, LOGINS)}, optional={"credHelpers": LOGINS, "credsStore": st.text()}
)


@given(CONFIGS, st.lists(st.sampled_from([HOME, AWAY]), unique=True))
def test_everything_else_stays_when_logins_are_merged(config: dict[str, Any], registries: list[RegistryRef]) -> None:
    tokens = [token(registry) for registry in registries]

    merged = json.loads(merge_docker_config(SINK.secret, holding(json.dumps(config)), tokens).reveal)

    ours = {token.host for token in tokens}
    assert {host: auth for host, auth in merged["auths"].items() if host not in ours} == {
        host: auth for host, auth in config["auths"].items() if host not in ours
    }
    assert {key: value for key, value in merged.items() if key != "auths"} == {
        key: value for key, value in config.items() if key != "auths"
    }
    assert all(merged["auths"][each.host]["password"] == CANARY for each in tokens)


@given(CONFIGS)
def test_merging_twice_is_merging_once(config: dict[str, Any]) -> None:
    once = merge_docker_config(SINK.secret, holding(json.dumps(config)), [token()])

    assert merge_docker_config(SINK.secret, holding(once.reveal), [token()]) == once


def test_no_secret_is_shown_when_values_that_hold_one_are_printed() -> None:
    text = merge_docker_config(SINK.secret, None, [token()])
    stored = holding(text.reveal)

    step = plan_sink(CREDENTIAL, SINK, None, home=HOME, now=NOON)
    shown = f"{token()} {token()!r} {text} {text!r} {stored!r} {[token().basic]} {step!r}"
    assert CANARY not in shown
    assert "QVdTOmNhbmFyeS1wYXNzd29yZA" not in shown
