"""The steward's own events: what is sent is what is received, and the committed schemas describe it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest

from ecr_steward.domain.names import Digest, ImageRef, ImageTag, OtherRepository, RegistryRef, RepositoryRef
from ecr_steward.domain.notices import (
    AccessWidened,
    BrakeHeld,
    CredentialRefreshed,
    ImageReplicated,
    ImageWithdrawn,
    ReplicationRequested,
    RulebookRefused,
    RulesChanged,
    ViolationFound,
)
from ecr_steward.errors import MalformedEventError
from ecr_steward.events import own
from ecr_steward.events.access_widened import AccessWidenedDetail, AccessWidenedEvent
from ecr_steward.events.brake_held import BrakeHeldDetail
from ecr_steward.events.envelope import parse
from ecr_steward.events.image_withdrawn import ImageWithdrawnDetail, ImageWithdrawnEvent
from ecr_steward.events.replication_requested import encode_job
from ecr_steward.events.rulebook_refused import RulebookRefusedDetail
from ecr_steward.events.rules_changed import RulesChangedDetail, RulesChangedEvent
from ecr_steward.events.schedule import ScheduleEvent

SCHEMAS = Path(own.__file__).parent / "schemas"
REPOSITORY = RepositoryRef(RegistryRef("111122223333", "us-east-1"), "team-a/api")
IMAGE = ImageRef(REPOSITORY, Digest("sha256:" + "a" * 64))
QUARANTINED = ViolationFound("services", "latest is denied", IMAGE, ImageTag("latest"), "quarantine", ImageTag("q-1"))
NOTIFIED = ViolationFound("services", "latest is denied", IMAGE, ImageTag("latest"), "notify")
OF_AN_IMAGE = ViolationFound("services", "it has no label", IMAGE, None, "notify")
OF_A_REPOSITORY = ViolationFound("services", "it is encrypted with AES256", REPOSITORY, None, "observe")
REPLICATED = ImageReplicated(
    "services",
    IMAGE,
    RepositoryRef(RegistryRef("222233334444", "eu-west-1"), "release/api"),
    frozenset({ImageTag("1.4.2"), ImageTag("1-latest")}),
)
ELSEWHERE = ImageReplicated("services", IMAGE, OtherRepository("ghcr.io", "acme/api"), frozenset({ImageTag("1.4.2")}))
REFRESHED = CredentialRefreshed(
    credential="on-prem-cluster",
    registries=(REPOSITORY.registry, RegistryRef("222233334444", "eu-west-1")),
    sink="ecr-steward/on-prem-cluster",
    role="pull-only",
    expires_at=datetime(2026, 11, 16, 14, 0, 5, tzinfo=UTC),
)
WITHDRAWN = ImageWithdrawn(
    "payments",
    IMAGE,
    RepositoryRef(RegistryRef("222233334444", "eu-west-1"), "release/api"),
    frozenset({ImageTag("1.4.2")}),
    "it failed its scan",
)
HELD = BrakeHeld("services", str(REPOSITORY), 60, "60 removals", datetime(2026, 11, 16, 2, 10, 6, tzinfo=UTC))

REFUSED = RulebookRefused("s3://example-rules/rulebook.json", '"9b2cf"', "ES614 it does not validate")

MOVED = RulesChanged(REPOSITORY, ("production", "everything"), ("everything",), "UntagResource by ci")

WIDENED = AccessWidened("public", REPOSITORY, "set the policy", ("222233334444", "everybody"), is_public=True)
WIDENED_REGISTRY = AccessWidened("all", REPOSITORY.registry, "put the policy", ("222233334444",), is_public=False)


@pytest.mark.parametrize(
    ("notice", "model"),
    [
        (QUARANTINED, own.ViolationFoundDetail),
        (NOTIFIED, own.ViolationFoundDetail),
        (OF_AN_IMAGE, own.ViolationFoundDetail),
        (OF_A_REPOSITORY, own.ViolationFoundDetail),
        (REPLICATED, own.ImageReplicatedDetail),
        (ELSEWHERE, own.ImageReplicatedDetail),
        (WITHDRAWN, ImageWithdrawnDetail),
        (REFRESHED, own.CredentialRefreshedDetail),
        (HELD, BrakeHeldDetail),
        (REFUSED, RulebookRefusedDetail),
        (MOVED, RulesChangedDetail),
        (WIDENED, AccessWidenedDetail),
        (WIDENED_REGISTRY, AccessWidenedDetail),
    ],
)
def test_a_notice_is_received_as_it_was_when_it_was_published(notice, model):
    detail_type, detail = own.encode_notice(notice)

    assert detail_type == model.DETAIL_TYPE
    assert parse(model, json.loads(detail)).to_notice() == notice


@pytest.mark.parametrize(
    "notice",
    [
        QUARANTINED,
        NOTIFIED,
        OF_AN_IMAGE,
        OF_A_REPOSITORY,
        REPLICATED,
        WITHDRAWN,
        REFRESHED,
        HELD,
        MOVED,
        WIDENED,
        WIDENED_REGISTRY,
    ],
)
def test_a_notice_fits_its_committed_schema_when_it_is_published(notice):
    detail_type, detail = own.encode_notice(notice)
    schema = json.loads((SCHEMAS / f"{detail_type.lower().replace(' ', '-')}.json").read_text(encoding="utf-8"))

    jsonschema.Draft202012Validator(schema).validate(json.loads(detail))


def test_a_job_fits_its_committed_schema_when_it_is_requested():
    event = json.loads(encode_job(ReplicationRequested(IMAGE, "missing")))
    schema = json.loads((SCHEMAS / "replication-requested.json").read_text(encoding="utf-8"))

    jsonschema.Draft202012Validator(schema).validate(event["detail"])


def test_a_schema_refuses_an_event_when_a_key_is_missing():
    schema = json.loads((SCHEMAS / "violation-found.json").read_text(encoding="utf-8"))
    detail = json.loads(own.encode_notice(NOTIFIED)[1])
    for key in set(detail):
        with pytest.raises(jsonschema.ValidationError, match=f"'{key}' is a required property"):
            jsonschema.Draft202012Validator(schema).validate({k: v for k, v in detail.items() if k != key})


def test_a_violation_keeps_the_shape_that_receivers_know_when_it_is_of_an_image_tag():
    known = {"version", "account", "region", "repository-name", "image-digest", "rule", "why", "image-tag", "answer"}

    detail = json.loads(own.encode_notice(NOTIFIED)[1])

    assert detail.keys() == known
    assert detail["version"] == "1"


def test_a_violation_says_another_version_when_it_has_no_image_tag():
    of_an_image, of_a_repository = (json.loads(own.encode_notice(n)[1]) for n in (OF_AN_IMAGE, OF_A_REPOSITORY))

    assert of_an_image["version"] == of_a_repository["version"] == "2"
    assert "image-tag" not in of_an_image
    assert "image-digest" not in of_a_repository


@pytest.mark.parametrize("gone", ["image-tag", "image-digest"])
def test_a_violation_is_malformed_when_it_promises_an_image_tag_and_has_none(gone):
    detail = json.loads(own.encode_notice(NOTIFIED)[1])
    del detail[gone]

    with pytest.raises(MalformedEventError, match=gone):
        parse(own.ViolationFoundDetail, detail)


@pytest.mark.parametrize("name", own.own_event_schemas())
def test_the_committed_schema_is_the_models_when_compared(name):
    committed = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))

    assert committed == own.own_event_schemas()[name], f"run: ecr-steward schema {name} > {name}.json"


def test_every_schema_belongs_to_an_event_when_the_folder_is_listed():
    assert {path.stem for path in SCHEMAS.iterdir()} == set(own.own_event_schemas())


def test_the_delivered_event_carries_the_notice_when_it_comes_from_the_bus(load_event):
    event = parse(own.ViolationFoundEvent, load_event("violation_found/quarantined"))
    replicated = parse(own.ImageReplicatedEvent, load_event("image_replicated/index_with_two_platforms"))

    withdrawn = parse(ImageWithdrawnEvent, load_event("image_withdrawn/failed_scan"))
    refreshed = parse(own.CredentialRefreshedEvent, load_event("credential_refreshed/on_prem_cluster"))

    moved = parse(RulesChangedEvent, load_event("rules_changed/tier_untagged"))

    widened = parse(AccessWidenedEvent, load_event("access_widened/everybody"))

    assert moved.detail.to_notice().now == ("everything",)
    assert widened.detail.to_notice().is_public
    assert withdrawn.detail.to_notice().image_tags == {"1.4.2"}
    assert event.detail.to_notice().answer == "quarantine"
    assert replicated.detail.to_notice().image_tags == {"1.4.2", "1.4-latest", "1-latest"}
    assert refreshed.detail.to_notice().expires_at == REFRESHED.expires_at


@pytest.mark.parametrize("text", ["soon", "2026-11-16T14:00:05", None], ids=["word", "no zone", "nothing"])
def test_a_refreshed_credential_says_a_moment_when_it_expires(load_event, text):
    event = load_event("credential_refreshed/on_prem_cluster")
    event["detail"]["expires-at"] = text

    with pytest.raises(MalformedEventError, match="expires-at"):
        parse(own.CredentialRefreshedEvent, event)


def test_a_schedule_names_its_registry_when_it_comes_due(load_event):
    assert parse(ScheduleEvent, load_event("schedule/sweep")).registry == RegistryRef("111122223333", "us-east-1")


def test_what_arrived_elsewhere_says_another_version_than_what_knows_ecr_alone():
    versions = [json.loads(own.encode_notice(notice)[1])["version"] for notice in (REPLICATED, ELSEWHERE)]

    assert versions == ["1", "2"]


@pytest.mark.parametrize(("notice", "version"), [(REPLICATED, "2"), (ELSEWHERE, "1")])
def test_a_destination_that_its_version_does_not_promise_is_refused(notice, version):
    detail = json.loads(own.encode_notice(notice)[1])

    with pytest.raises(MalformedEventError):
        parse(own.ImageReplicatedDetail, {**detail, "version": version})
