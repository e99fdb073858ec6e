"""Manifests, tags and referrers over /v2/."""

import http.client
import json
import threading
from urllib.parse import urlsplit

import pytest

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
NOWHERE = "sha256:" + "0" * 64


def errors_of(answer):
    return [one["code"] for one in answer.json()["errors"]]


def test_a_manifest_is_served_byte_for_byte_by_tag_and_by_digest(team_app):
    body = json.dumps(team_app.image("one"), indent=3).encode() + b"\n"
    pushed = team_app.push_manifest("1.0", body)
    digest = team_app.digest_of(body)
    assert (pushed.status, pushed.headers["Docker-Content-Digest"]) == (201, digest)
    for reference in ("1.0", digest):
        read = team_app.send("GET", f"manifests/{reference}")
        assert (read.data, read.headers["Content-Type"]) == (body, OCI_MANIFEST)
        head = team_app.send("HEAD", f"manifests/{reference}")
        assert (head.data, head.headers["Content-Length"]) == (b"", str(len(body)))
        assert head.headers["Docker-Content-Digest"] == digest


def test_a_manifest_is_read_in_the_other_face_as_it_was_pushed(ecr, team_app):
    digest = team_app.push_image("ünïcode", "1.0")
    image = ecr.batch_get_image(repositoryName="team/app", imageIds=[{"imageTag": "1.0"}])["images"][0]
    assert image["imageManifest"].encode() == team_app.send("GET", f"manifests/{digest}").data


def test_a_push_is_answered_alike_when_the_image_was_there(stand, team_app):
    team_app.push_image("one", "1.0")
    team_app.push_image("one", "1.0")
    assert len(stand.image_actions()) == 1


@pytest.mark.parametrize("path", ["manifests/none", f"manifests/{NOWHERE}"])
def test_a_manifest_is_unknown_when_nobody_pushed_it(team_app, path):
    answer = team_app.send("GET", path)
    assert (answer.status, errors_of(answer)) == (404, ["MANIFEST_UNKNOWN"])


def test_a_push_is_refused_when_the_repository_is_missing(stand, team_app):
    manifest = team_app.image("one")
    team_app.repository_name = "no/such"
    answer = team_app.push_manifest("1.0", manifest)
    assert (answer.status, errors_of(answer)) == (404, ["NAME_UNKNOWN"])
    assert "'no/such' does not exist in the registry with id '111122223333'" in answer.json()["errors"][0]["message"]


def test_a_tag_cannot_move_when_it_is_immutable_but_an_excluded_one_can(ecr, team_app):
    ecr.put_image_tag_mutability(
        repositoryName="team/app",
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": "*-latest"}],
    )
    first = team_app.push_image("one", "1.0")
    team_app.push_image("one", "1-latest")
    second = team_app.image("two")

    refused = team_app.push_manifest("1.0", second)

    assert (refused.status, errors_of(refused)) == (400, ["TAG_INVALID"])
    assert "'1.0' already exists in the 'team/app' repository" in refused.json()["errors"][0]["message"]
    assert team_app.send("HEAD", "manifests/1.0").headers["Docker-Content-Digest"] == first
    assert team_app.push_manifest("1-latest", second).status == 201
    assert team_app.send("HEAD", "manifests/1-latest").headers["Docker-Content-Digest"] != first


def test_latest_is_no_special_tag_when_the_repository_is_immutable_CVE_2026_31801(ecr, team_app):
    ecr.put_image_tag_mutability(repositoryName="team/app", imageTagMutability="IMMUTABLE")
    team_app.push_image("one", "latest")
    assert team_app.push_manifest("latest", team_app.image("two")).status == 400


def test_exactly_one_push_wins_when_many_race_for_an_immutable_tag(ecr, team_app):
    ecr.put_image_tag_mutability(repositoryName="team/app", imageTagMutability="IMMUTABLE")
    manifests = [team_app.image(f"racer {number}") for number in range(8)]
    statuses, start = [], threading.Barrier(len(manifests))

    def race(manifest):
        start.wait(5)
        statuses.append(team_app.push_manifest("1.0", manifest).status)

    racers = [threading.Thread(target=race, args=(manifest,)) for manifest in manifests]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(20)
    assert sorted(statuses) == [201] + [400] * 7
    assert len(ecr.list_images(repositoryName="team/app")["imageIds"]) == 1, "a loser left an image behind"


def body_of(team_app, **members):
    return json.dumps({**team_app.image("one"), **members}).encode()


BAD_MANIFESTS = {
    "both layers and manifests (CVE-2021-41190)": lambda app: body_of(app, manifests=[]),
    "another media type than it was sent as": lambda app: body_of(app, mediaType=DOCKER_MANIFEST),
    "no JSON": lambda app: b"{",
    "not an object": lambda app: b"[]",
    "not UTF-8": lambda app: body_of(app).decode().encode("utf-16"),
    "the same key twice": lambda app: body_of(app)[:-1] + b', "layers": []}',
    "NaN": lambda app: body_of(app)[:-1] + b', "x": NaN}',
    "nested without end": lambda app: b'{"schemaVersion": 2, "x": ' + b"[" * 100_000,
    "schema version 1": lambda app: body_of(app, schemaVersion=1),
    "no layers": lambda app: body_of(app, layers=None),
    "a digest that is a path": lambda app: body_of(app, layers=[layer("sha256:../../../etc/passwd")]),
    "a digest that is a number": lambda app: body_of(app, layers=[layer(7)]),
    "a negative size": lambda app: body_of(app, layers=[layer(NOWHERE, -1)]),
    "a size beyond 63 bits": lambda app: body_of(app, layers=[layer(NOWHERE, 1 << 63)]),
    "a size that is true": lambda app: body_of(app, layers=[layer(NOWHERE, True)]),
    "annotations that are no strings": lambda app: body_of(app, annotations={"a": 1}),
    "a subject that is no descriptor": lambda app: body_of(app, subject="sha256:x"),
}


def layer(digest, size=3):
    return {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": size}


@pytest.mark.parametrize("reason", BAD_MANIFESTS)
def test_a_manifest_is_refused_when_it_has(ecr, team_app, reason):
    answer = team_app.push_manifest("1.0", BAD_MANIFESTS[reason](team_app))
    assert (answer.status, errors_of(answer)) == (405, ["UNSUPPORTED"])
    message = answer.json()["errors"][0]["message"]
    assert message.startswith("Invalid parameter at 'ImageManifest' failed to satisfy constraint: '")
    assert ecr.list_images(repositoryName="team/app")["imageIds"] == []


@pytest.mark.parametrize(
    "media_type", ["application/json", "text/html", "application/vnd.docker.distribution.manifest.v1+json"]
)
def test_a_manifest_is_refused_when_its_media_type_is_no_manifests(team_app, media_type):
    manifest = team_app.image("one")
    del manifest["mediaType"]
    assert errors_of(team_app.push_manifest("1.0", manifest, media_type)) == ["UNSUPPORTED"]


def test_a_manifest_is_refused_when_it_is_larger_than_four_mebibytes(ecr, team_app):
    fits = body_of(team_app, annotations={"x": "y" * 4_000_000})
    assert team_app.push_manifest("fits", fits).status == 201
    answer = team_app.push_manifest("1.0", body_of(team_app, annotations={"x": "y" * 4_194_304}))
    assert (answer.status, errors_of(answer)) == (413, ["SIZE_INVALID"])
    assert "4194304" in answer.json()["errors"][0]["message"]


def test_a_manifest_is_refused_when_a_layer_is_missing(team_app):
    answer = team_app.push_manifest("1.0", body_of(team_app, layers=[layer(NOWHERE)]))
    assert (answer.status, errors_of(answer)) == (400, ["MANIFEST_BLOB_UNKNOWN"])
    assert NOWHERE in answer.json()["errors"][0]["message"]


def test_a_foreign_layer_need_not_be_here(team_app):
    foreign = {**layer(NOWHERE), "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"}
    assert team_app.push_manifest("1.0", body_of(team_app, layers=[foreign])).status == 201


def test_a_manifest_is_refused_when_it_is_pushed_under_a_digest_of_another(team_app):
    answer = team_app.push_manifest(NOWHERE, team_app.image("one"))
    assert (answer.status, errors_of(answer)) == (400, ["MANIFEST_INVALID"])
    assert "does not match the image digest that Amazon ECR has calculated" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("reference", ["-x", "a b", "x" * 301, "sha256:x"])
def test_a_manifest_is_refused_when_its_reference_is_neither_tag_nor_digest(team_app, reference):
    answer = team_app.push_manifest(reference.replace(" ", "%20"), team_app.image("one"))
    assert answer.status == 400
    assert errors_of(answer)[0] in {"TAG_INVALID", "DIGEST_INVALID"}


def test_every_kind_of_manifest_is_taken(team_app):
    docker = {**team_app.image("docker"), "mediaType": DOCKER_MANIFEST}
    assert team_app.push_manifest("docker", docker, DOCKER_MANIFEST).status == 201
    child = team_app.digest_of(json.dumps(docker).encode())
    docker_list = "application/vnd.docker.distribution.manifest.list.v2+json"
    descriptor = {"mediaType": DOCKER_MANIFEST, "digest": child, "size": 5, "platform": {"os": "linux"}}
    listed = {"schemaVersion": 2, "mediaType": docker_list, "manifests": [descriptor]}
    assert team_app.push_manifest("list", listed, docker_list).status == 201
    assert team_app.push_manifest("empty", body_of(team_app, layers=[])).status == 201
    index = {"schemaVersion": 2, "manifests": []}
    assert team_app.push_manifest("index", index, OCI_INDEX).status == 201
    nested = {**index, "manifests": [{**descriptor, "digest": team_app.digest_of(json.dumps(index).encode())}]}
    assert team_app.push_manifest("nested", nested, OCI_INDEX).status == 201
    oras = "application/vnd.cncf.oras.artifact.manifest.v1+json"
    artifact = {"mediaType": oras, "artifactType": "text/sbom+json", "blobs": [], "subject": descriptor}
    assert team_app.push_manifest("artifact", artifact, oras).headers["OCI-Subject"] == child
    assert sorted(team_app.send("GET", "tags/list").json()["tags"]) == [
        "artifact",
        "docker",
        "empty",
        "index",
        "list",
        "nested",
    ]


def test_a_manifest_is_deleted_by_digest_with_its_tags_and_by_tag_alone(ecr, team_app):
    digest = team_app.push_image("one", "1.0")
    team_app.push_image("one", "latest")
    assert team_app.send("DELETE", "manifests/latest").status == 202
    assert team_app.send("GET", "tags/list").json()["tags"] == ["1.0"]
    assert team_app.send("DELETE", f"manifests/{digest}").status == 202
    assert team_app.send("DELETE", f"manifests/{digest}").status == 404


def test_an_image_of_an_index_is_not_deleted(team_app):
    child = team_app.push_image("one")
    team_app.push_index("1.0", [child])
    answer = team_app.send("DELETE", f"manifests/{child}")
    assert (answer.status, errors_of(answer)) == (403, ["DENIED"])
    assert "referenced by manifest list" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v2/../../etc/passwd", 404),
        ("/v2/team/app/../app/tags/list", 400),
        ("/v2/%2e%2e/%2e%2e/etc/blobs/sha256:x", 400),
        ("/v2/TEAM/app/tags/list", 400),
        ("/v2//tags/list", 400),
        ("/v2/a%00b/tags/list", 400),
        ("/v2/" + "a/" * 2000 + "tags/list", 400),
        ("/v2/team/app", 404),
        ("/v1/team/app", 400),
    ],
)
def test_a_path_is_refused_when_it_names_no_repository(stand, team_app, path, status):
    before = sorted(stand.data.rglob("*"))
    host = urlsplit(team_app.url)
    connection = http.client.HTTPConnection(host.hostname, host.port, timeout=5)  # which does not tidy the path
    connection.request("GET", path, headers={"Authorization": f"Basic {team_app.token}"})
    assert connection.getresponse().status == status
    connection.close()
    assert sorted(stand.data.rglob("*")) == before


@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH", "OPTIONS"])
def test_a_method_is_unsupported_when_the_path_does_not_know_it(team_app, method):
    answer = team_app.send(method, "tags/list")
    assert (answer.status, errors_of(answer)) == (405, ["UNSUPPORTED"])
