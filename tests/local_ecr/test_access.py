"""Who may speak to the data plane, and the one gate of both faces."""

import base64
from contextlib import suppress
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from local_ecr import Credential, EcrError, Principal


def basic(username, password):
    return base64.b64encode(f"{username}:{password}".encode()).decode()


def test_a_token_is_good_for_twelve_hours_and_not_longer(stand, ecr, team_app):
    data = ecr.get_authorization_token()["authorizationData"][0]
    assert data["proxyEndpoint"] == team_app.url
    assert abs(data["expiresAt"] - stand.clock() - timedelta(hours=12)) < timedelta(seconds=10)

    stand.clock.ahead = timedelta(hours=11, minutes=59)
    assert team_app.send("GET", "/v2/").status == 200
    stand.clock.ahead = timedelta(hours=12, seconds=1)
    for method, body in (("GET", True), ("HEAD", False)):
        answer = team_app.send(method, "/v2/")
        assert answer.status == 403
        assert bool(answer.data) == body
    assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    [error] = team_app.send("GET", "tags/list").json()["errors"]
    assert error == {
        "code": "DENIED",
        "message": "Your authorization token has expired. Reauthenticate and try again.",
    }


def test_a_request_is_unauthorized_when_its_password_is_not_ours(stand, team_app):
    good = base64.b64decode(team_app.token).decode().removeprefix("AWS:")
    payload, _, signature = good.partition(".")
    wrong = [
        "",
        "not base64!",
        basic("AWS", ""),
        basic("AWS", "hunter2"),
        basic("root", good),
        basic("AWS", payload + "."),
        basic("AWS", payload + "." + signature[:-1]),
        basic("AWS", payload + "." + "0" * 64),
        basic("AWS", payload[:-2] + "." + signature),
        basic("AWS", "é" * 10),
        stand.token("eu-west-1"),
        base64.b64encode(f"AWS:{stand.ecr.signer.page_token(1)}".encode()).decode(),
    ]
    for token in wrong:
        for path in ("/v2/", "tags/list", "/v2/nothing-here"):
            answer = team_app.send("GET", path, token=token)
            assert answer.status == 401, token
            assert answer.headers["Www-Authenticate"] == f'Basic realm="{team_app.url}/",service="ecr.amazonaws.com"'
    assert team_app.send("PUT", "manifests/1.0", token="", body=b"{}").status == 401


def test_a_token_is_still_good_when_the_server_was_started_again_on_its_folder(make_stand, tmp_path):
    first = make_stand(tmp_path / "kept")
    first.client().create_repository(repositoryName="team/app")
    token = first.token()
    first.server.stop()
    second = make_stand(tmp_path / "kept")
    assert second.distribution().send("GET", "tags/list", token=token).json() == {"name": "team/app", "tags": []}


def test_a_token_of_one_account_is_no_good_when_the_folder_is_another(make_stand, tmp_path):
    token = make_stand(tmp_path / "one").token()
    other = make_stand(tmp_path / "two")
    assert other.distribution().send("GET", "/v2/", token=token).status == 401


@pytest.mark.parametrize("suffix", ["localhost:80", "amazonaws.com", "localhost"])
def test_the_host_name_says_which_registry_is_meant(stand, team_app, suffix):
    team_app.push_image("one", "1.0")
    ireland = stand.distribution("eu-west-1")
    host = {"Host": f"111122223333.dkr.ecr.us-east-1.{suffix}"}
    assert ireland.send("GET", "tags/list", headers=host).status == 401, "a token of another region opened it"
    assert ireland.send("GET", "tags/list", headers=host, token=team_app.token).json()["tags"] == ["1.0"]


def test_the_endpoint_serves_the_registry_of_the_token_when_nothing_else_names_one(stand, team_app):
    team_app.push_image("one", "1.0")
    team_app.url = stand.server.endpoint_url
    assert team_app.send("GET", "tags/list").json()["tags"] == ["1.0"]
    assert team_app.send("GET", "/v2/", token="").status == 401


def test_every_request_of_both_faces_passes_the_gate(make_stand):
    asked = []

    def refuse_writing(principal: Principal, action: str, resource: str) -> None:
        asked.append((principal.arn, action, resource))
        if action in {"ecr:PutImage", "ecr:SetRepositoryPolicy"}:
            raise EcrError("AccessDeniedException", f"User: {principal.arn} is not authorized to perform: {action}")

    stand = make_stand(authorize=refuse_writing)
    stand.client().create_repository(repositoryName="team/app")
    team_app = stand.distribution()
    refused = team_app.push_manifest("1.0", team_app.image("one"))
    with pytest.raises(ClientError, match="AccessDenied"):
        stand.client().set_repository_policy(repositoryName="team/app", policyText="{}")

    assert (refused.status, refused.json()["errors"][0]["code"]) == (403, "DENIED")
    arn = "arn:aws:ecr:us-east-1:111122223333:repository/team/app"
    assert {(action, resource) for _, action, resource in asked} == {
        ("ecr:CreateRepository", arn),
        ("ecr:GetAuthorizationToken", "*"),
        ("ecr:InitiateLayerUpload", arn),
        ("ecr:UploadLayerPart", arn),
        ("ecr:CompleteLayerUpload", arn),
        ("ecr:PutImage", arn),
        ("ecr:SetRepositoryPolicy", arn),
    }


@pytest.fixture
def asked():
    """What the gate was asked, in order, each once."""
    return {}


@pytest.fixture
def asked_stand(make_stand, asked):
    return make_stand(authorize=lambda principal, action, resource: asked.setdefault((action, resource)))


REPOSITORIES = "arn:aws:ecr:us-east-1:111122223333:repository/"


@pytest.mark.parametrize(
    ("operation", "call_input", "expected"),
    [
        ("get_authorization_token", {}, [("GetAuthorizationToken", "*")]),
        ("describe_registry", {}, [("DescribeRegistry", "*")]),
        ("describe_repositories", {}, [("DescribeRepositories", f"{REPOSITORIES}*")]),
        (
            "describe_repositories",
            {"repositoryNames": ["team/one", "team/two"]},
            [("DescribeRepositories", f"{REPOSITORIES}team/one"), ("DescribeRepositories", f"{REPOSITORIES}team/two")],
        ),
        (
            "describe_repositories",
            {"registryId": "444455556666"},
            [("DescribeRepositories", "arn:aws:ecr:us-east-1:444455556666:repository/*")],
        ),
        ("list_images", {"repositoryName": "team/one"}, [("ListImages", f"{REPOSITORIES}team/one")]),
        (
            "list_image_referrers",
            {"repositoryName": "team/one", "subjectId": {"imageDigest": f"sha256:{'0' * 64}"}},
            [("BatchGetImage", f"{REPOSITORIES}team/one")],
        ),
        (
            "list_tags_for_resource",
            {"resourceArn": f"{REPOSITORIES}team/one"},
            [("ListTagsForResource", f"{REPOSITORIES}team/one")],
        ),
        ("create_repository", {"repositoryName": "team/one"}, [("CreateRepository", f"{REPOSITORIES}team/one")]),
        (
            "create_repository",
            {"repositoryName": "team/one", "tags": [{"Key": "owner", "Value": "team"}]},
            [("CreateRepository", f"{REPOSITORIES}team/one"), ("TagResource", f"{REPOSITORIES}team/one")],
        ),
    ],
)
def test_an_operation_asks_for_its_action_on_each_repository_that_it_is_about(
    asked_stand, asked, operation, call_input, expected
):
    with suppress(ClientError):  # the repositories are not there; the gate comes before that
        getattr(asked_stand.client(), operation)(**call_input)
    assert list(asked) == [(f"ecr:{action}", resource) for action, resource in expected]


def test_the_catalog_asks_for_all_repositories_of_the_registry(asked_stand, asked):
    assert asked_stand.distribution().send("GET", "/v2/_catalog").status == 200
    assert list(asked)[-1] == ("ecr:DescribeRepositories", f"{REPOSITORIES}*")


@pytest.mark.parametrize("refused", ["ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload"])
def test_a_blob_is_not_taken_at_once_when_a_step_of_its_upload_is_denied(make_stand, refused):
    def refuse(principal: Principal, action: str, resource: str) -> None:
        if action == refused:
            raise EcrError("AccessDeniedException", f"not authorized to perform: {action}")

    stand = make_stand(authorize=refuse)
    stand.client().create_repository(repositoryName="team/app")
    team_app = stand.distribution()
    digest = team_app.digest_of(b"hello")
    assert team_app.send("POST", f"blobs/uploads/?digest={digest}", body=b"hello").status == 403
    assert team_app.send("HEAD", f"blobs/{digest}").status == 404
    assert not [path for path in stand.data.glob("*/*/*/*") if path.is_file()], "bytes of a refused request were kept"


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_an_upload_of_ones_own_asks_for_the_right_to_send_parts(asked_stand, asked, method):
    asked_stand.client().create_repository(repositoryName="team/app")
    team_app = asked_stand.distribution()
    location = team_app.send("POST", "blobs/uploads/").headers["Location"]
    assert team_app.send(method, location).status < 300
    assert list(asked)[-1] == ("ecr:UploadLayerPart", f"{REPOSITORIES}team/app")


def test_the_end_of_an_upload_asks_for_the_right_to_send_parts_when_it_brings_bytes(asked_stand, asked):
    asked_stand.client().create_repository(repositoryName="team/app")
    team_app = asked_stand.distribution()
    digest = team_app.digest_of(b"")
    location = team_app.send("POST", "blobs/uploads/").headers["Location"]
    assert team_app.send("PUT", f"{location}?digest={digest}").status == 201
    assert ("ecr:UploadLayerPart", f"{REPOSITORIES}team/app") not in asked
    team_app.push_blob(b"hello")
    assert ("ecr:UploadLayerPart", f"{REPOSITORIES}team/app") in asked


def test_the_principal_is_whom_the_credential_is_mapped_to(make_stand):
    def role_session(credential: Credential) -> Principal:
        return Principal("444455556666", "arn:aws:sts::444455556666:assumed-role/ci/run-1", credential.access_key_id)

    stand = make_stand(principal_of=role_session)
    created = stand.client().create_repository(repositoryName="team/app")["repository"]
    assert created["registryId"] == "444455556666"
    identity = stand.api_calls()[0]["userIdentity"]
    assert identity["type"] == "AssumedRole"
    assert identity["arn"] == "arn:aws:sts::444455556666:assumed-role/ci/run-1"
    assert identity["principalId"].endswith(":run-1")
    assert identity["sessionContext"]["sessionIssuer"]["arn"] == "arn:aws:iam::444455556666:role/ci"


def test_no_secret_is_written_to_a_log_or_an_event_GHSA_c37v_3c8w_crq8(stand, ecr, team_app, caplog):
    caplog.set_level("DEBUG")
    team_app.push_image("one", "1.0")
    team_app.send("GET", "tags/list", token=basic("AWS", "canary-password"))
    team_app.send("GET", "/v2/_signed/canary-signature")
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("local_ecr", "uvicorn"))]
    written = f"{ours} {stand.events} {stand.ecr.requests.entries()}"
    password = base64.b64decode(team_app.token).decode().removeprefix("AWS:")
    for secret in (team_app.token, password, "canary-password", "canary-signature", "not-verified"):
        assert secret not in written
