"""Real clients meet a throttle and come through: nothing of what was asked for is lost, and nothing is done twice."""

import base64
import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from lab.images import write_layout
from local_ecr import Quotas

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def an_index(name):
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "annotations": {"name": name}})


def retrying(stand, mode, attempts=10):
    """A client as its users have it, with retries."""
    return boto3.client(
        "ecr",
        region_name="us-east-1",
        endpoint_url=stand.server.endpoint_url,
        aws_access_key_id="111122223333",
        aws_secret_access_key="not-verified",
        config=Config(retries={"mode": mode, "total_max_attempts": attempts}, max_pool_connections=20),
    )


def statuses(stand, operation):
    return [one.status for one in stand.ecr.requests.entries() if one.operation == operation]


def test_the_api_answers_in_aws_words_and_with_its_status_and_the_trail_tells_of_it(make_stand):
    stand = make_stand(quotas=Quotas(rates={"PutImage": 2}))
    ecr = stand.client()
    ecr.create_repository(repositoryName="team/app")
    for name in ("a", "b"):
        ecr.put_image(repositoryName="team/app", imageManifest=an_index(name), imageTag=name)

    with pytest.raises(ClientError) as refused:
        ecr.put_image(repositoryName="team/app", imageManifest=an_index("c"), imageTag="c")

    answer = refused.value.response
    assert answer["Error"] == {"Code": "ThrottlingException", "Message": "Rate exceeded"}
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert "retry-after" not in answer["ResponseMetadata"]["HTTPHeaders"]
    assert stand.api_calls()[-1]["errorCode"] == "ThrottlingException"
    assert len(ecr.list_images(repositoryName="team/app")["imageIds"]) == 2
    stand.clock.ahead += timedelta(seconds=1)
    ecr.put_image(repositoryName="team/app", imageManifest=an_index("c"), imageTag="c")


def test_a_registry_answers_429_as_the_specification_has_it_and_changes_nothing(make_stand):
    stand = make_stand(quotas=Quotas(rates={"PutImage": 1, "InitiateLayerUpload": 1, "GetDownloadUrlForLayer": 1}))
    stand.client().create_repository(repositoryName="team/app")
    app = stand.distribution()
    digest = app.push_blob(b"layer")
    image = app.refer_to(digest)
    asked = [
        ("POST", "blobs/uploads/", None),
        ("PUT", "manifests/again", an_index("again")),
        ("GET", f"blobs/{digest}", None),
        ("GET", f"blobs/{digest}", None),
    ]

    answers = [app.send(method, path, body=body, headers={"Content-Type": OCI_INDEX}) for method, path, body in asked]

    assert [answer.status for answer in answers] == [429, 429, 200, 429]
    for answer in (answers[0], answers[1], answers[3]):
        assert answer.json() == {"errors": [{"code": "TOOMANYREQUESTS", "message": "Rate exceeded"}]}
        assert "Retry-After" not in answer.headers
    assert app.send("HEAD", f"manifests/{image}").status == 200
    assert app.send("HEAD", "manifests/again").status == 404


def test_a_request_counts_for_every_operation_that_it_is(make_stand):
    stand = make_stand(quotas=Quotas(rates={"CompleteLayerUpload": 1, "UploadLayerPart": 2}))
    stand.client().create_repository(repositoryName="team/app")
    app = stand.distribution()

    def post(data):
        return app.send("POST", f"blobs/uploads/?digest={app.digest_of(data)}", body=data).status

    assert [post(b"one"), post(b"two")] == [201, 429]
    begun = app.send("POST", "blobs/uploads/").headers["Location"]
    assert app.send("PATCH", begun, body=b"three").status == 429
    assert app.send("GET", begun).status == 204


def test_the_account_that_asks_is_throttled_and_not_the_one_that_owns_the_repository(make_stand):
    stand = make_stand(quotas=Quotas(rates={"DescribeImages": 1}))
    stand.client().create_repository(repositoryName="team/app")
    guest = stand.client(account="444455556666")
    stand.trust("444455556666", "ecr:DescribeImages")
    wanted = {"registryId": "111122223333", "repositoryName": "team/app"}

    assert guest.describe_images(**wanted)["imageDetails"] == []
    with pytest.raises(ClientError, match="ThrottlingException"):
        guest.describe_images(**wanted)
    assert stand.client().describe_images(**wanted)["imageDetails"] == []


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["standard", "adaptive"])
def test_a_burst_of_boto3_loses_nothing_when_its_retries_meet_a_throttle(make_stand, mode):
    """16 pushes by 8 threads at 10 a second: 2 to 4 s."""
    stand = make_stand(quotas=Quotas())
    ecr = retrying(stand, mode)
    ecr.create_repository(repositoryName="team/app", imageTagMutability="IMMUTABLE")
    names = [f"v{number}" for number in range(16)]

    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda name: ecr.put_image(repositoryName="team/app", imageManifest=an_index(name), imageTag=name),
                names,
            )
        )

    found = {one["imageTag"] for one in ecr.list_images(repositoryName="team/app")["imageIds"]}
    assert found == set(names)
    answered = statuses(stand, "PutImage")
    assert answered.count(200) == len(names) and answered.count(400) > 0
    assert sorted(tag for action, _, tag in stand.image_actions() if action == "PUSH") == sorted(names)


@pytest.mark.slow
@pytest.mark.parametrize("client", ["skopeo", "oras"])
def test_a_client_copies_an_image_of_four_layers_when_its_uploads_are_throttled(make_stand, tmp_path, client):
    """Both wait and ask again by themselves: some 2 s each."""
    if shutil.which(client) is None:
        pytest.skip(f"{client} is missing: apt-get install {client}")
    stand = make_stand(quotas=Quotas(rates={"InitiateLayerUpload": 3}))
    stand.client().create_repository(repositoryName="team/app")
    write_layout(tmp_path / "image", layers=4, layer_bytes=10)
    host = stand.server.registry_url("111122223333", "us-east-1").removeprefix("http://")
    password = base64.b64decode(stand.token()).decode().removeprefix("AWS:")
    commands = {
        "skopeo": ["copy", "--dest-tls-verify=false", f"--dest-creds=AWS:{password}", f"oci:{tmp_path}/image"],
        "oras": ["cp", "--to-plain-http", "--to-username=AWS", f"--to-password={password}", "--from-oci-layout"],
    }
    there = f"{host}/team/app:1.0"
    source = f"{tmp_path}/image@{digest_in(tmp_path / 'image')}"
    target = [f"docker://{there}"] if client == "skopeo" else [source, there]

    done = subprocess.run([client, *commands[client], *target], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
    answered = statuses(stand, "InitiateLayerUpload")
    assert answered.count(202) == 5 and answered.count(429) > 0
    [image] = stand.client().batch_get_image(repositoryName="team/app", imageIds=[{"imageTag": "1.0"}])["images"]
    assert len(json.loads(image["imageManifest"])["layers"]) == 4


def digest_in(layout):
    return json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]
