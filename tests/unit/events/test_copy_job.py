"""Copy jobs: the three kinds of message in the replication queue, and what does not belong there."""

import json

import pytest

from ecr_steward.domain.names import Digest, ImageRef, RegistryRef, RepositoryRef
from ecr_steward.domain.notices import ReplicationRequested
from ecr_steward.errors import MalformedEventError
from ecr_steward.events.copy_job import read_copy_job
from ecr_steward.events.replication_requested import encode_job

IMAGE = ImageRef(
    RepositoryRef(RegistryRef("111122223333", "us-east-1"), "team-a/api"), Digest("sha256:" + "4d9f2c1e7b8a0356" * 4)
)


def bodies(batch):
    return [record["body"] for record in batch["Records"]]


def test_a_push_is_a_copy_job_when_a_rule_put_it_in_the_queue(load_event):
    (body,) = bodies(load_event("sqs_copy_batch/copy_job_from_push"))

    assert read_copy_job(body) == ReplicationRequested(IMAGE, "pushed as 1.4.2")


@pytest.mark.parametrize("sample", ["pass", "fail"])
def test_a_verdict_is_a_copy_job_whatever_it_says_since_it_is_derived_again(load_event, sample):
    job = read_copy_job(json.dumps(load_event(f"image_verdict/{sample}")))

    assert job == ReplicationRequested(IMAGE, f"its verdict is {sample}", is_withdrawal=sample == "fail")


def test_a_verdict_is_a_copy_job_when_a_rule_put_it_in_the_queue(load_event):
    (body,) = bodies(load_event("sqs_copy_batch/copy_job_from_verdict"))

    assert read_copy_job(body).image == IMAGE


@pytest.mark.parametrize("sample", ["ecr_image_action/push_untagged", "ecr_referrer_action/push_signature"])
def test_a_push_by_digest_is_a_copy_job_when_it_has_no_image_tag(sample, load_event):
    body = json.dumps(load_event(sample))

    assert read_copy_job(body).why == "pushed by digest"


def test_the_sweeps_request_is_a_copy_job_when_it_arrives(load_event):
    (body,) = bodies(load_event("sqs_copy_batch/copy_job_from_sweep"))

    assert read_copy_job(body) == ReplicationRequested(IMAGE, "111122223333/eu-west-1/team-a/api does not hold it")


def test_a_request_is_read_as_it_was_when_we_wrote_it():
    job = ReplicationRequested(IMAGE, 'a reason with ü and "quotes"')

    assert read_copy_job(encode_job(job)) == job


def test_a_request_that_was_put_back_says_on_which_turn_it_is_and_what_was_told():
    told = frozenset({"b to c", "a to c"})
    job = ReplicationRequested(IMAGE, "missing", hops=3, is_narrow=True, told=told, is_deep=True)

    assert read_copy_job(encode_job(job)) == job


def test_a_request_of_an_older_version_is_one_on_its_first_turn(load_event):
    job = read_copy_job(json.dumps(load_event("replication_requested/missing_at_destination")))

    assert (job.hops, job.is_narrow, job.told) == (0, False, frozenset())


def test_only_the_poison_is_refused_when_a_batch_holds_one(load_event):
    poison, good = bodies(load_event("sqs_copy_batch/poison_and_good"))

    assert read_copy_job(good).image == IMAGE
    with pytest.raises(
        MalformedEventError, match=r"the message is no JSON: .* \(found '\{\"detail-type\": \"ECR Image Act'\)"
    ):
        read_copy_job(poison)


@pytest.mark.parametrize("body", ["null", "[]", "{}", '{"detail-type": "ECR Image Scan"}', '{"detail-type": {}}'])
def test_the_three_kinds_are_named_when_a_message_is_none_of_them(body):
    with pytest.raises(MalformedEventError, match="'Image Verdict' or 'Replication Requested', but found"):
        read_copy_job(body)


@pytest.mark.parametrize("body", [b"\xff", "", "[" * 200_000])
def test_a_message_is_malformed_when_it_is_no_json(body):
    with pytest.raises(MalformedEventError, match="the message is no JSON"):
        read_copy_job(body)


def test_a_request_is_refused_when_its_version_is_unknown(load_event):
    event = load_event("replication_requested/missing_at_destination")
    event["detail"]["version"] = "2"

    with pytest.raises(MalformedEventError, match=r"detail.version: input should be '1', but found '2'"):
        read_copy_job(json.dumps(event))
