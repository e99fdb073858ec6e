"""The AWS CLI, in an environment of its own."""

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.client

INSTALLED = Path(__file__).parents[2] / ".tools" / "awscli" / "bin" / "aws"


@pytest.fixture
def aws(need_program, shell):
    program = need_program("aws", at=INSTALLED, install="make setup")

    def run(*arguments):
        answer = shell.run(program, "ecr", *arguments, "--output", "json").stdout
        return json.loads(answer) if answer.strip() else None

    run.program = program
    return run


@pytest.fixture
def skopeo(need_program):
    return need_program("skopeo", install="apt-get install skopeo")


def test_the_story_of_a_push_is_told_by_the_command_line(aws, skopeo, shell, registry, layout):
    image = json.loads((layout.folder / "index.json").read_text(encoding="utf-8"))["manifests"][0]
    digest = image["digest"]
    created = aws(
        "create-repository",
        "--repository-name", "team/app",
        "--image-tag-mutability", "IMMUTABLE_WITH_EXCLUSION",
        "--image-tag-mutability-exclusion-filters", "filterType=WILDCARD,filter=*-latest",
        "--tags", "Key=team,Value=a",
    )["repository"]  # fmt: skip
    assert created["repositoryUri"] == f"{registry.host}/team/app"
    password = shell.run(aws.program, "ecr", "get-login-password").stdout
    shell.run(skopeo, "login", "--tls-verify=false", "-u", "AWS", "--password-stdin", registry.host, stdin=password)
    there = f"docker://{created['repositoryUri']}:1.0"
    shell.run(skopeo, "copy", "--all", "--dest-tls-verify=false", f"oci:{layout.folder}:1.0", there)

    described = aws("describe-images", "--repository-name", "team/app", "--image-ids", "imageTag=1.0")
    got = aws("batch-get-image", "--repository-name", "team/app", "--image-ids", "imageTag=1.0")

    assert described["imageDetails"][0]["imageDigest"] == digest
    manifest = got["images"][0]["imageManifest"]
    assert manifest.encode() == layout.blobs()[digest.removeprefix("sha256:")]
    retagged = aws(
        "put-image", "--repository-name", "team/app", "--image-tag", "1-latest", "--image-manifest", manifest
    )
    assert retagged["image"]["imageId"] == {"imageDigest": digest, "imageTag": "1-latest"}


def test_pages_are_followed_by_the_command_line(aws, registry):
    for number in range(5):
        registry.client().create_repository(repositoryName=f"team/app-{number}")
    listed = aws("describe-repositories", "--page-size", "2")["repositories"]
    assert [one["repositoryName"] for one in listed] == [f"team/app-{number}" for number in range(5)]


def test_the_command_line_shows_what_ecr_says_when_a_call_is_refused(aws, shell):
    refused = shell.run(aws.program, "ecr", "describe-images", "--repository-name", "no/such", check=False)
    assert refused.returncode != 0
    assert "RepositoryNotFoundException" in refused.stderr
    assert "does not exist in the registry with id '111122223333'" in refused.stderr
