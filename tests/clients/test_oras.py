"""oras: artifacts, referrers, and copies that take the referrers along."""

import json

import pytest

pytestmark = pytest.mark.client

SBOM = "application/spdx+json"


@pytest.fixture(autouse=True)
def oras(need_program):
    return need_program("oras", install="apt-get install oras")


@pytest.fixture
def subject(oras, shell, registry, layout):
    """A two-platform image in team/app, with an SBOM attached; its reference."""
    registry.client().create_repository(repositoryName="team/app")
    reference = f"{registry.host}/team/app:1.0"
    shell.run(oras, "cp", "--from-oci-layout", f"{layout.folder}:1.0", "--to-plain-http", reference)
    (shell.home / "sbom.json").write_text('{"spdxVersion": "SPDX-2.3"}', encoding="utf-8")
    shell.run(oras, "attach", "--plain-http", "--artifact-type", SBOM, reference, f"sbom.json:{SBOM}")
    return reference


def referrers(oras, shell, reference):
    shown = shell.run(oras, "discover", "--plain-http", "--format", "json", reference)
    return json.loads(shown.stdout)["manifests"]


def test_an_artifact_is_pulled_as_it_was_pushed(oras, shell, registry):
    registry.client().create_repository(repositoryName="team/chart")
    reference = f"{registry.host}/team/chart:0.1.0"
    (shell.home / "chart.tgz").write_bytes(b"not really a chart")
    shell.run(oras, "push", "--plain-http", "--artifact-type", "application/x.chart", reference, "chart.tgz:text/plain")
    shell.run(oras, "pull", "--plain-http", "--output", shell.home / "pulled", reference)
    assert (shell.home / "pulled" / "chart.tgz").read_bytes() == b"not really a chart"
    [detail] = registry.client().describe_images(repositoryName="team/chart")["imageDetails"]
    assert detail["artifactMediaType"] == "application/x.chart"
    assert detail["imageTags"] == ["0.1.0"]


def test_an_attached_artifact_is_discovered_through_the_referrers_api(oras, shell, registry, subject, digest):
    [found] = referrers(oras, shell, subject)
    assert found["artifactType"] == SBOM
    tags = [one.get("imageTag") for one in registry.client().list_images(repositoryName="team/app")["imageIds"]]
    assert [tag for tag in tags if tag] == ["1.0"], "oras fell back to a tag, so it found no referrers API"
    wanted = {"repositoryName": "team/app", "subjectId": {"imageDigest": digest}}
    [listed] = registry.client().list_image_referrers(**wanted)["referrers"]
    assert (listed["digest"], listed["artifactType"]) == (found["digest"], SBOM)


def test_a_copy_takes_platforms_and_referrers_along_to_another_region(oras, shell, registry, subject, digest):
    ireland = registry.client("eu-west-1")
    ireland.create_repository(repositoryName="copy/app")
    there = f"{registry.hosts['eu-west-1']}/copy/app:1.0"
    shell.run(oras, "cp", "--recursive", "--from-plain-http", "--to-plain-http", subject, there)

    def digests(client, name):
        return {one["imageDigest"] for one in client.describe_images(repositoryName=name)["imageDetails"]}

    assert digests(ireland, "copy/app") == digests(registry.client(), "team/app")
    assert [one["artifactType"] for one in referrers(oras, shell, there)] == [SBOM]
    images = ireland.list_images(repositoryName="copy/app", filter={"tagStatus": "TAGGED"})
    assert images["imageIds"] == [{"imageDigest": digest, "imageTag": "1.0"}]


def test_a_manifest_is_deleted_by_oras(oras, shell, registry, subject):
    [found] = referrers(oras, shell, subject)
    reference = f"{registry.host}/team/app@{found['digest']}"
    shell.run(oras, "manifest", "delete", "--plain-http", "--force", reference)
    assert referrers(oras, shell, subject) is None or referrers(oras, shell, subject) == []
