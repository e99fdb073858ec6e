"""What CloudTrail tells of calls to either face: who asked for what, how it ended, and nothing that is secret."""

import json
import uuid
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from local_ecr import Credential, Policy, Principal
from local_ecr.trail import MAX_FIELD, in_java_words
from tests.told import lasting, sample

ARN = "arn:aws:ecr:us-east-1:111122223333:repository/team/app"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def names(stand):
    return [detail["eventName"] for detail in stand.api_calls()]


@pytest.fixture
def team_api(stand, ecr):
    """The repository of the samples, there and empty."""
    ecr.create_repository(repositoryName="team-a/api")
    repository = stand.distribution(repository_name="team-a/api")
    stand.events.clear()
    return repository


def test_a_call_that_changes_something_is_recorded_as_cloudtrail_does(make_stand):
    def alice(credential: Credential) -> Principal:
        arn = "arn:aws:sts::111122223333:assumed-role/developer/alice"
        return Principal(
            "111122223333",
            arn,
            "ASIAEXAMPLEEXAMPLE12",
            unique_id="AROAEXAMPLEEXAMPLE123",
            session_began="2026-11-16T01:20:00Z",
        )

    everything = Policy("All", {"Version": "2012-10-17", "Statement": [EVERYTHING]})
    stand = make_stand(principal_of=alice, identities=lambda principal: [everything])
    settings = {"imageTagMutability": "MUTABLE", "imageScanningConfiguration": {"scanOnPush": False}}

    stand.client().create_repository(repositoryName="team-a/api", **settings)

    [event] = [event for _, _, event in stand.events]
    told, wanted = lasting(event), lasting(sample("aws_api_call_via_cloudtrail/create_repository"))
    assert told["detail"].pop("sourceIPAddress") == "127.0.0.1"
    assert told["detail"].pop("userAgent").startswith("Boto3/")
    told["detail"]["responseElements"]["repository"]["repositoryUri"] = (
        "111122223333.dkr.ecr.us-east-1.amazonaws.com/team-a/api"  # here it is a port
    )
    del wanted["detail"]["sourceIPAddress"], wanted["detail"]["userAgent"]
    assert told == wanted
    assert uuid.UUID(event["detail"]["eventID"])
    assert uuid.UUID(event["detail"]["requestID"])


def test_who_pushed_is_recorded_as_whom_the_token_was_given_to(make_stand):
    def session(credential: Credential) -> Principal:
        arn = "arn:aws:sts::111122223333:assumed-role/ci/run-1"
        return Principal(
            "111122223333", arn, "ASIAEXAMPLEEXAMPLE12", "/", "AROA1", session_began="2026-11-16T01:20:00Z"
        )

    everything = Policy("All", {"Version": "2012-10-17", "Statement": [EVERYTHING]})
    stand = make_stand(principal_of=session, identities=lambda principal: [everything])
    stand.client().create_repository(repositoryName="team/app")
    stand.distribution().push_image("one", "1.0")
    created, pushed = stand.api_calls()[0]["userIdentity"], stand.api_calls()[-1]["userIdentity"]
    assert pushed == {**created, "invokedBy": "AWS Internal"}


def test_a_refused_call_is_recorded_with_its_error(stand, ecr):
    with pytest.raises(ClientError):
        ecr.delete_lifecycle_policy(repositoryName="no/such")
    [detail] = stand.api_calls()
    assert detail["eventName"] == "DeleteLifecyclePolicy"
    assert detail["errorCode"] == "RepositoryNotFoundException"
    assert "no/such" in detail["errorMessage"]
    assert detail["responseElements"] is None


def test_a_call_that_was_not_allowed_is_recorded_in_cloudtrails_word_for_it(stand, ecr, team_app):
    stand.events.clear()
    with pytest.raises(ClientError, match="AccessDeniedException"):
        stand.client(account="444455556666").tag_resource(resourceArn=ARN, tags=[{"Key": "a", "Value": "b"}])
    assert {detail["errorCode"] for detail in stand.api_calls()} == {"AccessDenied"}


def test_a_call_from_another_account_is_recorded_for_both(stand, ecr):
    arn = ecr.create_repository(repositoryName="team/app")["repository"]["repositoryArn"]
    stand.trust("444455556666", "ecr:TagResource")
    stand.events.clear()
    stand.client(account="444455556666").tag_resource(resourceArn=arn, tags=[{"Key": "a", "Value": "b"}])
    recorded = {event["account"]: event["detail"] for _, _, event in stand.events}
    assert set(recorded) == {"444455556666", "111122223333"}
    for account, detail in recorded.items():
        assert detail["recipientAccountId"] == account
        assert detail["userIdentity"]["accountId"] == "444455556666"
        assert detail["requestParameters"]["tags"] == [{"key": "a", "value": "b"}]
        assert detail["resources"] == [{"accountId": "111122223333", "ARN": arn}]
    assert len({detail["sharedEventID"] for detail in recorded.values()}) == 1
    assert len({detail["eventID"] for detail in recorded.values()}) == 2


def test_a_call_about_what_is_no_arn_is_recorded_without_a_resource(stand, ecr):
    with pytest.raises(ClientError, match="InvalidParameterException"):
        ecr.tag_resource(resourceArn="fuzz/app", tags=[{"Key": "a", "Value": "b"}])
    [detail] = stand.api_calls()
    assert (detail["resources"], detail["errorCode"]) == ([], "InvalidParameterException")


@pytest.mark.parametrize(
    ("position", "name"),
    [(0, "initiate_layer_upload"), (1, "upload_layer_part"), (2, "complete_layer_upload"), (-1, "put_image")],
)
def test_a_push_is_recorded_as_the_calls_that_ecr_makes_for_it(stand, team_api, position, name):
    team_api.push_image("one", "1.4.2")

    records = [event for _, _, event in stand.events if event["detail-type"] == "AWS API Call via CloudTrail"]

    assert [record["detail"]["eventName"] for record in records] == [
        *(2 * ["InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload"]),
        "PutImage",
    ]
    assert lasting(records[position]) == lasting(sample(f"aws_api_call_via_cloudtrail/{name}"))


def test_the_manifest_that_was_pushed_is_in_the_record_of_its_push(stand, team_api):
    manifest = team_api.image("one")
    team_api.push_manifest("1.4.2", manifest)

    detail = stand.api_calls()[-1]

    assert json.loads(detail["requestParameters"]["imageManifest"]) == manifest
    assert detail["responseElements"]["image"]["imageManifest"] == detail["requestParameters"]["imageManifest"]


def test_a_push_that_ecr_refuses_is_recorded_with_its_error(stand, ecr, team_api):
    team_api.push_image("one", "1.4.2")
    ecr.put_image_tag_mutability(repositoryName="team-a/api", imageTagMutability="IMMUTABLE")
    team_api.push_manifest("1.4.2", team_api.image("two"))

    detail = stand.api_calls()[-1]

    assert (detail["eventName"], detail["errorCode"]) == ("PutImage", "ImageTagAlreadyExistsException")
    assert detail["responseElements"] is None


def test_what_is_no_call_of_the_api_is_not_recorded(stand, ecr, team_api):
    begun = team_api.send("POST", "blobs/uploads/").headers["Location"]
    stand.events.clear()
    team_api.send("GET", begun)
    team_api.send("DELETE", begun)
    team_api.send("GET", "/v2/")
    team_api.send("PUT", "manifests/1.0", token="", body=b"{}")
    team_api.send("POST", "/v2/No_Name/blobs/uploads/")
    assert stand.api_calls() == []


def test_a_deleted_image_is_recorded_with_what_was_deleted(stand, team_api):
    digest = team_api.push_image("one", "1.4.2")
    team_api.send("DELETE", f"manifests/{digest}")
    detail = stand.api_calls()[-1]
    assert detail["eventName"] == "BatchDeleteImage"
    assert detail["requestParameters"]["imageIds"] == [{"imageDigest": digest}]
    assert detail["responseElements"] == {"imageIds": [{"imageDigest": digest}], "failures": []}


def test_reading_is_not_recorded(stand, ecr, team_api):
    team_api.push_image("one", "1.4.2")
    stand.events.clear()
    team_api.send("GET", "manifests/1.4.2")
    ecr.describe_images(repositoryName="team-a/api")
    ecr.get_authorization_token()
    assert stand.api_calls() == []


def test_a_pull_is_recorded_when_the_trail_is_told_of_what_only_reads(stand, ecr, team_api):
    team_api.push_image("one", "1.4.2")
    stand.ecr.trail_reads = True
    stand.events.clear()
    team_api.send("GET", "manifests/1.4.2", headers={"Accept": OCI_MANIFEST})
    team_api.send("GET", f"blobs/{team_api.digest_of(b'one')}")
    records = [event for _, _, event in stand.events]
    assert lasting(records) == [
        lasting(sample(f"aws_api_call_via_cloudtrail/{name}"))
        for name in ("batch_get_image", "get_download_url_for_layer")
    ]


def test_no_token_is_in_a_record_when_reads_are_recorded(stand, ecr):
    stand.ecr.trail_reads = True
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    ecr.describe_repositories()
    assert names(stand) == ["GetAuthorizationToken", "DescribeRepositories"]
    assert all(detail["readOnly"] and detail["responseElements"] is None for detail in stand.api_calls())
    assert token not in json.dumps(stand.events)


def test_no_byte_of_a_layer_is_in_a_record(stand, ecr, team_app):
    upload = ecr.initiate_layer_upload(repositoryName="team/app")["uploadId"]
    part = {"repositoryName": "team/app", "uploadId": upload, "partFirstByte": 0, "partLastByte": 5}
    ecr.upload_layer_part(**part, layerPartBlob=b"secret")
    detail = stand.api_calls()[-1]
    assert detail["requestParameters"] == part
    assert detail["responseElements"]["lastByteReceived"] == 5


def test_a_field_that_is_too_large_is_left_out_and_said_to_be(stand, ecr, team_app):
    annotations = {"org.example.long": "x" * MAX_FIELD}
    pushed = team_app.push_image("one", "1.0", annotations=annotations)
    detail = stand.api_calls()[-1]
    for field in ("requestParameters", "responseElements"):
        told = detail[field]
        assert (told["reason"], told["omitted"]) == (f"{field} too large", True)
        assert told["originalSize"] > MAX_FIELD
    assert ecr.describe_images(repositoryName="team/app", imageIds=[{"imageDigest": pushed}])["imageDetails"]


def test_nothing_is_recorded_when_the_registry_has_no_trail(stand, ecr, team_app):
    stand.ecr.trail = False
    stand.events.clear()
    ecr.put_image_tag_mutability(repositoryName="team/app", imageTagMutability="IMMUTABLE")
    team_app.push_blob(b"one")
    assert stand.events == []
    stand.ecr.trail = True
    ecr.put_image_tag_mutability(repositoryName="team/app", imageTagMutability="MUTABLE")
    assert names(stand) == ["PutImageTagMutability"]


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (datetime(2018, 7, 11, 22, 17, 44, tzinfo=UTC), "Jul 11, 2018, 10:17:44 PM"),
        (datetime(2026, 11, 16, 1, 54, 34, tzinfo=UTC), "Nov 16, 2026, 1:54:34 AM"),
        (datetime(2026, 1, 1, 0, 0, 0, tzinfo=UTC), "Jan 1, 2026, 12:00:00 AM"),
        (datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC), "Jan 1, 2026, 12:00:00 PM"),
    ],
)
def test_a_moment_inside_of_an_answer_is_written_as_in_the_samples(moment, words):
    assert in_java_words(moment) == words


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2199, 1, 1)))
def test_a_moment_can_be_read_again_to_the_second(moment):
    assert datetime.strptime(in_java_words(moment), "%b %d, %Y, %I:%M:%S %p") == moment.replace(microsecond=0)
