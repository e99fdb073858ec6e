"""ECR Image Action events, as AWS sends them and as it never should."""

from datetime import UTC, datetime

import pytest

from ecr_steward.domain.names import Digest, ImageRef, RegistryRef, RepositoryRef
from ecr_steward.domain.observations import Push
from ecr_steward.errors import InvalidNameError, MalformedEventError, PermanentError
from ecr_steward.events.envelope import parse
from ecr_steward.events.image_action import ImageActionEvent

REPOSITORY = RepositoryRef(RegistryRef("111122223333", "us-east-1"), "team-a/api")
DIGEST = Digest("sha256:" + "a1b2c3d4e5f60718" * 4)


def test_a_push_names_image_and_image_tag_when_the_event_says_both(load_event):
    push = parse(ImageActionEvent, load_event("ecr_image_action/push_tagged")).to_push()

    assert push == Push(
        ImageRef(REPOSITORY, DIGEST),
        "1.4.2",
        "application/vnd.oci.image.manifest.v1+json",
        datetime(2026, 11, 16, 1, 54, 34, tzinfo=UTC),
    )


def test_a_push_has_no_time_when_its_event_has_none(load_event):
    event = load_event("ecr_image_action/push_tagged")
    del event["time"]

    assert parse(ImageActionEvent, event).to_push().at is None


@pytest.mark.parametrize(
    "sample",
    ["ecr_image_action/push_untagged", "ecr_image_action/push_without_tag", "ecr_referrer_action/push_signature"],
)
def test_a_push_has_no_image_tag_when_the_event_has_none_or_an_empty_one(load_event, sample):
    push = parse(ImageActionEvent, load_event(sample)).to_push()

    assert push.image_tag is None


def test_a_push_stays_readable_when_aws_adds_keys(load_event):
    event = load_event("ecr_image_action/push_tagged")
    event["replay-name"] = "again"
    event["detail"]["image-size"] = 12

    assert parse(ImageActionEvent, event).to_push().image_tag == "1.4.2"


def test_a_push_has_no_media_type_when_an_older_event_has_none(load_event):
    assert parse(ImageActionEvent, load_event("ecr_image_action/push_without_tag")).to_push().media_type is None


def test_account_and_region_come_from_the_envelope_when_an_event_was_forwarded(load_event):
    event = load_event("ecr_image_action/push_tagged")
    event |= {"account": "222233334444", "region": "eu-west-1"}

    registry = parse(ImageActionEvent, event).to_push().image.repository.registry

    assert registry == RegistryRef("222233334444", "eu-west-1")


def test_every_wrong_place_is_named_when_an_event_is_malformed(load_event):
    with pytest.raises(MalformedEventError) as caught:
        parse(ImageActionEvent, load_event("ecr_image_action/malformed"))

    assert str(caught.value) == (
        "the event 'ECR Image Action' with id '13cde686-328b-6117-af20-000000000010' is malformed: "
        "detail.repository-name is missing; "
        "detail.image-digest: 'sha256:4d9f2c1e' is not a digest such as sha256:<64 hex digits>"
    )


def test_the_known_actions_are_named_when_an_action_is_unknown(load_event):
    with pytest.raises(
        MalformedEventError, match="should be 'PUSH', 'DELETE' or 'UPDATE_STORAGE_CLASS', but found 'PULL'"
    ):
        parse(ImageActionEvent, load_event("ecr_image_action/unknown_action"))


@pytest.mark.parametrize(
    ("sample", "said"),
    [
        ("delete_tagged", "reports DELETE with result SUCCESS"),
        ("push_failed", "reports PUSH with result FAILURE"),
        ("archive", "reports UPDATE_STORAGE_CLASS with result SUCCESS"),
    ],
)
def test_no_push_is_made_when_the_event_reports_something_else(load_event, sample, said):
    event = parse(ImageActionEvent, load_event(f"ecr_image_action/{sample}"))

    with pytest.raises(MalformedEventError, match=said):
        event.to_push()


def test_the_image_tag_is_quoted_when_it_is_impossible(load_event):
    event = load_event("ecr_image_action/push_tagged")
    event["detail"]["image-tag"] = "not a tag"

    with pytest.raises(InvalidNameError, match="'not a tag' is not an image tag"):
        parse(ImageActionEvent, event).to_push()


@pytest.mark.parametrize(
    "event",
    [None, [], "text", 7, {}, {"detail": None}, {"detail-type": 3, "id": []}, {"detail": {"image-digest": {"a": 1}}}],
)
def test_a_malformed_event_is_a_permanent_error_whatever_it_is(event):
    with pytest.raises(PermanentError, match="is malformed"):
        parse(ImageActionEvent, event)


@pytest.mark.parametrize(
    ("key", "wrong"),
    [("account", "1111"), ("account", 111122223333), ("region", "Ireland"), ("source", "aws.ecs"), ("id", "")],
)
def test_the_envelope_is_refused_when_a_key_that_we_use_is_wrong(load_event, key, wrong):
    event = load_event("ecr_image_action/push_tagged") | {key: wrong}

    with pytest.raises(MalformedEventError, match=f": {key}: "):
        parse(ImageActionEvent, event)


@pytest.mark.parametrize("name", ["UPPER/case", "a//b", "-a", "a" * 257, ""])
def test_the_repository_is_refused_when_its_name_is_impossible(load_event, name):
    event = load_event("ecr_image_action/push_tagged")
    event["detail"]["repository-name"] = name

    with pytest.raises(MalformedEventError, match=r"detail.repository-name: .* is not a repository name"):
        parse(ImageActionEvent, event)
