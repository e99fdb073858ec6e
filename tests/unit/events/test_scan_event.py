"""Events of the scan queue: which image each of the four is about, and what is about none."""

import json

import pytest

from ecr_steward.domain.names import Digest, ImageRef, RegistryRef, RepositoryRef
from ecr_steward.domain.observations import Push, ScanEnded
from ecr_steward.errors import InvalidNameError, MalformedEventError
from ecr_steward.events.scan_event import read_scan_event

REGISTRY = RegistryRef("111122223333", "us-east-1")
IMAGE = ImageRef(RepositoryRef(REGISTRY, "team-a/api"), Digest("sha256:" + "a1b2c3d4e5f60718" * 4))


def read(event):
    return read_scan_event(json.dumps(event))


@pytest.mark.parametrize(
    "sample",
    [
        "ecr_image_scan/complete",
        "ecr_image_scan/complete_child",
        "ecr_image_scan/failed",
        "inspector2_scan/initial_scan_complete",
        "inspector2_scan/plain_repository_name",
        "inspector2_finding/of_an_image",
        "inspector2_finding/closed",
    ],
)
def test_the_scanned_image_is_named_when_an_event_is_about_one(load_event, sample):
    assert read(load_event(sample)) == (ScanEnded(IMAGE),)


@pytest.mark.parametrize(
    ("sample", "image_tag"), [("push_index", "1.4.2"), ("push_untagged", None), ("push_without_tag", None)]
)
def test_the_pushed_image_is_named_when_an_event_is_about_a_push(load_event, sample, image_tag):
    event = load_event(f"ecr_image_action/{sample}")

    (push,) = read(event)

    assert isinstance(push, Push)
    assert (str(push.image.digest), push.image_tag) == (event["detail"]["image-digest"], image_tag)


def test_a_sample_batch_holds_a_tagged_push_when_a_rule_put_it_in_the_queue(load_event):
    (record,) = load_event("sqs_scan_batch/tagged_push_of_an_index")["Records"]

    assert read_scan_event(record["body"]) == read(load_event("ecr_image_action/push_index"))


@pytest.mark.parametrize("sample", ["push_failed", "delete_tagged"])
def test_an_action_is_refused_when_it_is_no_push_that_succeeded(load_event, sample):
    with pytest.raises(MalformedEventError, match="only a PUSH with result SUCCESS"):
        read(load_event(f"ecr_image_action/{sample}"))


@pytest.mark.parametrize("sample", ["inspector2_scan/of_an_instance", "inspector2_finding/of_an_instance"])
def test_there_is_nothing_to_do_when_an_event_is_about_something_else(load_event, sample):
    assert read(load_event(sample)) == ()


@pytest.mark.parametrize(
    "sample",
    [
        "sqs_scan_batch/basic_scan",
        "sqs_scan_batch/basic_scan_of_a_child",
        "sqs_scan_batch/enhanced_scan_and_finding",
        "sqs_scan_batch/poison_and_good",
    ],
)
def test_a_sample_batch_ends_with_a_message_that_can_be_read(load_event, sample):
    assert read_scan_event(load_event(sample)["Records"][-1]["body"]) == (ScanEnded(IMAGE),)


def test_the_arn_says_where_the_image_is_when_the_event_comes_from_elsewhere(load_event):
    event = load_event("inspector2_scan/initial_scan_complete") | {"account": "222233334444", "region": "eu-west-1"}

    assert read(event) == (ScanEnded(IMAGE),)


def test_a_finding_says_where_the_image_is_when_the_event_comes_from_elsewhere(load_event):
    event = load_event("inspector2_finding/of_an_image") | {"account": "222233334444", "region": "eu-west-1"}

    assert read(event) == (ScanEnded(IMAGE),)


def test_every_image_is_named_when_a_finding_is_in_several_resources(load_event):
    event = load_event("inspector2_finding/of_an_image")
    other = load_event("inspector2_finding/of_an_instance")["detail"]["resources"][0]
    event["detail"]["resources"] += [other, event["detail"]["resources"][0]]

    assert read(event) == (ScanEnded(IMAGE), ScanEnded(IMAGE))


def test_an_event_stays_readable_when_aws_adds_keys(load_event):
    event = load_event("inspector2_finding/of_an_image")
    event["detail"]["resources"][0]["details"]["awsEcrContainerImage"]["mood"] = "good"

    assert read(event) == (ScanEnded(IMAGE),)


@pytest.mark.parametrize(
    ("sample", "said"),
    [
        ("ecr_image_scan/malformed", r"detail.scan-status is missing"),
        ("inspector2_finding/malformed", "which image it means is not said"),
    ],
)
def test_an_event_is_refused_when_it_does_not_say_which_image_it_means(load_event, sample, said):
    with pytest.raises(MalformedEventError, match=said):
        read(load_event(sample))


@pytest.mark.parametrize("key", ["repository-name", "image-digest"])
def test_the_missing_key_is_named_when_inspector_names_half_an_image(load_event, key):
    event = load_event("inspector2_scan/initial_scan_complete")
    del event["detail"][key]

    with pytest.raises(MalformedEventError, match=rf"has no detail\.{key}"):
        read(event)


@pytest.mark.parametrize("name", ["arn:aws:ecr:us-east-1:111122223333:repository/UPPER", "arn:aws:s3:::bucket", "a//b"])
def test_the_repository_is_refused_when_its_name_or_arn_is_impossible(load_event, name):
    event = load_event("inspector2_scan/initial_scan_complete")
    event["detail"]["repository-name"] = name

    with pytest.raises(InvalidNameError, match="is not a repository name"):
        read(event)


@pytest.mark.parametrize("body", ["null", "[]", "{}", '{"detail-type": "Image Verdict"}', '{"detail-type": {}}'])
def test_the_four_kinds_are_named_when_a_message_is_none_of_them(body):
    with pytest.raises(MalformedEventError, match="'ECR Image Action' or 'ECR Referrer Action', but found"):
        read_scan_event(body)


@pytest.mark.parametrize("body", [b"\xff", "", "[" * 200_000])
def test_a_message_is_malformed_when_it_is_no_json(body):
    with pytest.raises(MalformedEventError, match="the message is no JSON"):
        read_scan_event(body)
