"""A seeded registry is compared with one into which the same images were pushed, one by one at their times: 1 s."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from local_ecr import Registry, SeededImages

HERE = Registry("111122223333", "us-east-1")
NOW = datetime(2026, 12, 1, tzinfo=UTC)


@dataclass
class FixedClock:
    now: datetime = NOW

    def __call__(self):
        return self.now


def outcome(call, **parameters):
    """The answer without what is of this request alone, or the error."""
    try:
        answer = call(**parameters)
    except ClientError as error:
        return error.response["Error"]
    answer.pop("ResponseMetadata")
    return answer


def pages(ecr, operation, **parameters):
    """Two entries to a page."""
    paginator = ecr.get_paginator(operation)
    found = list(paginator.paginate(**parameters, PaginationConfig={"PageSize": 2}))
    for page in found:
        page.pop("ResponseMetadata")
        page.pop("nextToken", None)
    return found


def every_answer(stand):
    """What both faces say of team/app and of all that is in it."""
    ecr, app, name = stand.client(), stand.distribution(), {"repositoryName": "team/app"}
    [repository] = ecr.describe_repositories()["repositories"]
    host, _, _ = repository.pop("repositoryUri").partition("/")
    assert app.url.endswith(host)
    listed = ecr.list_images(**name)["imageIds"]
    digests = list(dict.fromkeys(one["imageDigest"] for one in listed))
    answers = [repository, listed]
    for status in ("TAGGED", "UNTAGGED", "ANY"):
        answers += pages(ecr, "list_images", **name, filter={"tagStatus": status})
        answers += pages(ecr, "describe_images", **name, filter={"tagStatus": status})
    answers.append(outcome(ecr.describe_images, **name, imageIds=listed))
    answers.append(outcome(ecr.batch_get_image, **name, imageIds=listed))
    for digest in digests:
        answers.append(outcome(ecr.list_image_referrers, **name, subjectId={"imageDigest": digest}))
        answers.append(outcome(ecr.describe_image_scan_findings, **name, imageId={"imageDigest": digest}))
    for operation in ("get_repository_policy", "get_lifecycle_policy"):
        answers.append(outcome(getattr(ecr, operation), **name))
    answers.append(outcome(ecr.list_tags_for_resource, resourceArn=repository["repositoryArn"]))
    answers.append(app.send("GET", "tags/list").json())
    for reference in (*digests, *(one["imageTag"] for one in listed if "imageTag" in one)):
        for method in ("HEAD", "GET"):
            answer = app.send(method, f"manifests/{reference}")
            headers = [answer.headers[one] for one in ("Content-Type", "Content-Length", "Docker-Content-Digest")]
            answers.append([answer.status, headers, answer.data])
    blobs = sorted(blobs_of(app, digests))
    answers.append(outcome(ecr.batch_check_layer_availability, **name, layerDigests=blobs))
    answers += [read_blob(app, digest) for digest in blobs]
    answers.append(outcome(ecr.describe_images, **name))  # with the times of these pulls
    return answers


def blobs_of(app, digests):
    """Digests of configs and layers that the manifests of these digests name."""
    found = [app.send("GET", f"manifests/{digest}").json() for digest in digests]
    return {part["digest"] for one in found if "layers" in one for part in (one["config"], *one["layers"])}


def read_blob(app, digest):
    """A blob, whose bytes are those of its digest."""
    answer = app.send("GET", f"blobs/{digest}")
    assert answer.status == 200 and app.digest_of(answer.data) == digest
    return answer.data


def push_what_is_there(source, stand):
    """Push every image of `source` by /v2/, at the time when it was pushed there."""
    ecr, read = source.client(), source.distribution()
    [repository] = ecr.describe_repositories()["repositories"]
    stand.clock.now = repository["createdAt"]
    stand.client().create_repository(repositoryName="team/app")
    stand.clock.now = NOW
    write = stand.distribution()
    stored = set()
    for image in ecr.describe_images(repositoryName="team/app")["imageDetails"]:
        body = read.send("GET", f"manifests/{image['imageDigest']}").data
        document = json.loads(body)
        stand.clock.now = image["imagePushedAt"]
        for part in (document["config"], *document["layers"]) if "layers" in document else ():
            if part["digest"] not in stored:
                stored.add(write.push_blob(read_blob(read, part["digest"])))
        for reference in image.get("imageTags", [image["imageDigest"]]):
            pushed = write.push_manifest(reference, body, image["imageManifestMediaType"])
            assert pushed.status == 201, pushed.data
    stand.clock.now = NOW
    stand.events.clear()


@pytest.mark.parametrize(
    "images",
    [
        SeededImages(count=5, layer_bytes=(10, 70_000), age=timedelta(days=9)),
        SeededImages(count=3, platforms=2, age=timedelta(days=2), image_tag="1.{}.0", labels={"team": "a"}),
        SeededImages(count=2, platforms=1, image_tag=None),
    ],
    ids=["images", "indexes", "untagged"],
)
def test_every_answer_is_the_same_as_if_the_images_were_pushed(make_stand, tmp_path, images):
    seeded, source, pushed = (make_stand(tmp_path / name, clock=FixedClock()) for name in ("a", "b", "c"))
    for stand in (seeded, source):
        stand.ecr.seed(HERE, ["team/app"], images)
    assert seeded.events == []
    push_what_is_there(source, pushed)

    answers = every_answer(seeded)

    assert answers == every_answer(pushed)
    assert len(answers[1]) == images.digests


def test_what_is_deleted_goes_as_if_it_was_pushed_with_its_events_and_its_files(make_stand, tmp_path):
    images = SeededImages(count=2, platforms=2)
    seeded, source, pushed = (make_stand(tmp_path / name, clock=FixedClock()) for name in ("a", "b", "c"))
    for stand in (seeded, source):
        stand.ecr.seed(HERE, ["team/app"], images)
    push_what_is_there(source, pushed)

    told = []
    for stand in (seeded, pushed):
        ecr, name = stand.client(), {"repositoryName": "team/app"}
        listed = ecr.list_images(**name)["imageIds"]
        answers = [
            outcome(ecr.batch_delete_image, **name, imageIds=ids) for ids in (listed[:1], listed[2:3], listed[:2])
        ]
        answers.append(outcome(ecr.list_images, **name))
        assert list(stand.data.glob("*/*/blobs/*/*"))
        ecr.delete_repository(**name, force=True)
        assert not list(stand.data.glob("*/*/blobs/*/*"))
        told.append((answers, stand.image_actions()))

    assert told[0] == told[1]
    assert [action for action, *_ in told[0][1]] == ["DELETE"] * 3


def test_a_repository_is_as_if_it_was_created_with_the_default_settings(make_stand, tmp_path):
    """Its host aside, which names the server's port."""
    seeded, created = (make_stand(tmp_path / name, clock=FixedClock()) for name in ("a", "b"))
    names = ["team/app", "team/web"]
    seeded.ecr.seed(HERE, names)
    for name in names:
        created.client().create_repository(repositoryName=name)

    told = [stand.client().describe_repositories()["repositories"] for stand in (seeded, created)]

    for repositories in told:
        assert [one.pop("repositoryUri").partition("/")[2] for one in repositories] == names
    assert told[0] == told[1]
    assert seeded.events == []
