"""skopeo: copies both ways, by port and by ECR's own host names."""

import base64

import pytest

from lab.client_matrix.layout import Layout

pytestmark = pytest.mark.client

PLAIN = ("--src-tls-verify=false", "--dest-tls-verify=false")


@pytest.fixture(autouse=True)
def skopeo(need_program):
    return need_program("skopeo", install="apt-get install skopeo")


def test_an_index_comes_back_byte_for_byte_when_it_is_copied_there_and_back(skopeo, shell, registry, layout, digest):
    registry.client().create_repository(repositoryName="team/app")
    there = f"docker://{registry.host}/team/app:1.0"
    shell.run(skopeo, "copy", "--all", "--preserve-digests", *PLAIN, f"oci:{layout.folder}:1.0", there)

    shell.run(skopeo, "copy", "--all", "--preserve-digests", *PLAIN, there, f"oci:{shell.home / 'back'}:1.0")

    details = registry.client().describe_images(repositoryName="team/app")["imageDetails"]
    assert [one["imageDigest"] for one in details if one.get("imageTags") == ["1.0"]] == [digest]
    assert len(details) == 3, "an index and its two platforms"
    back = Layout(shell.home / "back")
    assert back.blobs() == layout.blobs()


def test_an_image_becomes_a_docker_one_when_that_is_asked_for(skopeo, shell, registry, layout):
    registry.client().create_repository(repositoryName="team/app")
    there = f"docker://{registry.host}/team/app:docker"
    shell.run(skopeo, "copy", "--format", "v2s2", *PLAIN, f"oci:{layout.folder}:1.0", there)
    [detail] = registry.client().describe_images(repositoryName="team/app")["imageDetails"]
    assert detail["imageManifestMediaType"] == "application/vnd.docker.distribution.manifest.v2+json"
    assert detail["artifactMediaType"] == "application/vnd.docker.container.image.v1+json"


def test_a_copy_goes_from_region_to_region(skopeo, shell, registry, layout, digest):
    for region in registry.hosts:
        registry.client(region).create_repository(repositoryName="team/app")
    here, there = (f"docker://{host}/team/app:1.0" for host in registry.hosts.values())
    shell.run(skopeo, "copy", "--all", *PLAIN, f"oci:{layout.folder}:1.0", here)
    shell.run(skopeo, "copy", "--all", *PLAIN, here, there)
    images = registry.client("eu-west-1").list_images(repositoryName="team/app", filter={"tagStatus": "TAGGED"})
    assert images["imageIds"] == [{"imageDigest": digest, "imageTag": "1.0"}]


def test_a_login_is_refused_when_the_password_is_wrong(skopeo, shell, registry):
    command = (skopeo, "login", "--tls-verify=false", "-u", "AWS", "--password-stdin", registry.host)
    refused = shell.run(*command, check=False, stdin="hunter2")
    assert refused.returncode != 0
    assert "invalid username/password" in refused.stderr
    password = base64.b64decode(registry.token()).decode().removeprefix("AWS:")
    assert "Login Succeeded" in shell.run(*command, stdin=password).stdout


def test_skopeo_shows_what_ecr_says_when_a_push_is_refused(skopeo, shell, registry, layout):
    registry.client().create_repository(repositoryName="team/app", imageTagMutability="IMMUTABLE")
    image = f"oci:{layout.folder}:1.0"
    shell.run(skopeo, "copy", *PLAIN, image, f"docker://{registry.host}/team/app:1.0")
    expected = {"no/such:1.0": "does not exist in the registry with id", "team/app:1.0": "immutable"}
    for reference, message in expected.items():
        there = f"docker://{registry.host}/{reference}"
        refused = shell.run(skopeo, "copy", "--all", *PLAIN, image, there, check=False)
        assert refused.returncode != 0
        assert message in refused.stderr


def test_a_push_makes_its_repository_by_the_creation_template_for_it(skopeo, shell, registry, layout, digest):
    registry.client().create_repository_creation_template(
        prefix="team", appliedFor=["CREATE_ON_PUSH"], imageTagMutability="IMMUTABLE"
    )
    image = f"oci:{layout.folder}:1.0"

    shell.run(skopeo, "copy", "--all", *PLAIN, image, f"docker://{registry.host}/team/made/app:1.0")

    assert registry.digests("team/made/app") == {"1.0": digest}
    [made] = registry.client().describe_repositories()["repositories"]
    assert (made["repositoryName"], made["imageTagMutability"]) == ("team/made/app", "IMMUTABLE")
    said = shell.refuse(skopeo, "copy", "--all", *PLAIN, image, f"docker://{registry.host}/other/app:1.0")
    assert "The repository with name 'other/app' does not exist in the registry" in said


def test_tags_are_listed_and_images_deleted(skopeo, shell, registry, layout):
    registry.client().create_repository(repositoryName="team/app")
    there = f"docker://{registry.host}/team/app"
    shell.run(skopeo, "copy", *PLAIN, f"oci:{layout.folder}:1.0", f"{there}:1.0")
    assert '"1.0"' in shell.run(skopeo, "list-tags", "--tls-verify=false", there).stdout
    shell.run(skopeo, "delete", "--tls-verify=false", f"{there}:1.0")
    assert registry.client().list_images(repositoryName="team/app")["imageIds"] == []


def test_ecrs_own_host_names_work_through_a_proxy_setting(skopeo, shell, registry, layout, digest):
    registry.client().create_repository(repositoryName="team/app")
    host = "111122223333.dkr.ecr.us-east-1.amazonaws.com"
    credentials = base64.b64decode(registry.token()).decode()
    shell.environment["HTTP_PROXY"] = registry.endpoint_url
    there, back = f"docker://{host}/team/app:1.0", f"oci:{shell.home / 'back'}:1.0"
    options = ("--all", *PLAIN)
    shell.run(skopeo, "copy", *options, "--dest-creds", credentials, f"oci:{layout.folder}:1.0", there)
    shell.run(skopeo, "copy", *options, "--src-creds", credentials, there, back)
    assert Layout(shell.home / "back").blobs().keys() == layout.blobs().keys()
