"""Every quirk from both sides: what is seen with it alone, and what without any."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local_ecr import Quirks, Registry
from local_ecr.state import registries

TESTS = Path(__file__).parent
REGISTRY = Registry("111122223333", "us-east-1")
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
NOWHERE = "sha256:" + "0" * 64


@dataclass(frozen=True)
class Seen:
    """What a probe sees with the quirk, and without."""

    probe: Callable[[Any], Any]
    on: Any
    off: Any


def code_of(answer):
    return answer.status, answer.json()["errors"][0]["code"]


def begin(app):
    return app.send("POST", "blobs/uploads/").headers["Location"]


def patch_status(stand):
    app = stand.distribution()
    return app.send("PATCH", begin(app), body=b"hello").status


def range_after_two_chunks(stand):
    app = stand.distribution()
    location = begin(app)
    app.send("PATCH", location, body=b"hello")
    second = app.send("PATCH", location, body=b"world")
    assert app.send("GET", location).headers["Range"] == "0-9", "all is stored, whatever PATCH says"
    return second.headers["Range"]


def end_of_two_small_chunks(stand):
    app = stand.distribution()
    location = begin(app)
    for chunk in (b"hello", b"world"):
        app.send("PATCH", location, body=chunk)
    return app.send("PUT", f"{location}?digest={app.digest_of(b'helloworld')}").status


def push_of_nothing(stand):
    app = stand.distribution()
    return app.send("POST", f"blobs/uploads/?digest={app.digest_of(b'')}", body=b"").status


def wrong_digest(stand):
    return code_of(stand.distribution().send("POST", f"blobs/uploads/?digest={NOWHERE}", body=b"hello"))


def mount(stand, query="&from=team/app", *, is_referenced=False, **settings):
    digest = stand.distribution().push_blob(b"shared")
    if is_referenced:
        stand.distribution().refer_to(digest)
    stand.client().create_repository(repositoryName="team/other", **settings)
    other = stand.distribution(repository_name="team/other")
    status = other.send("POST", f"blobs/uploads/?mount={digest}{query}").status
    assert other.send("HEAD", f"blobs/{digest}").status == (200 if status == 201 else 404)
    return status


def mount_with_another_key(stand):
    return mount(stand, encryptionConfiguration={"encryptionType": "KMS"})


def mount_from_anywhere(stand):
    return mount(stand, query="")


def get_of_a_blob(stand):
    app = stand.distribution()
    return app.send("GET", f"blobs/{app.push_blob(b'hello')}", redirect=False).status


def delete_of_a_blob(stand):
    app = stand.distribution()
    digest = app.push_blob(b"hello")
    status = app.send("DELETE", f"blobs/{digest}").status
    assert app.send("HEAD", f"blobs/{digest}").status == (404 if status == 202 else 200)
    return status


def bad_manifest(stand):
    return code_of(stand.distribution().push_manifest("1.0", b"{"))


def media_type_with_parameters(stand):
    app = stand.distribution()
    return app.push_manifest("1.0", app.image("one", artifactType="application/x+json;version=0.2")).status


def index_of_blobs(stand):
    app = stand.distribution()
    entry = {"mediaType": "application/vnd.buildkit.cacheconfig.v0", "digest": app.push_blob(b"cache"), "size": 5}
    pushed = app.push_manifest("cache", {"schemaVersion": 2, "manifests": [entry]}, OCI_INDEX)
    return pushed.status


def manifest_under_sha512(stand):
    app = stand.distribution()
    body = json.dumps(app.image("one")).encode()
    return app.push_manifest(f"sha512:{hashlib.sha512(body).hexdigest()}", body).status


def pull_as_docker_takes_it(stand):
    app = stand.distribution()
    digest = app.push_image("one", "1.0")
    accept = {"Accept": f"application/json, {DOCKER_MANIFEST};q=0.5"}
    assert app.send("GET", f"manifests/{digest}", headers=accept).headers["Content-Type"] == OCI_MANIFEST
    pulled = app.send("GET", "manifests/1.0", headers=accept)
    assert pulled.headers["Docker-Content-Digest"] == app.digest_of(pulled.data)
    return pulled.headers["Content-Type"], pulled.headers["Docker-Content-Digest"] == digest


def image_without_its_last_tag(stand):
    app = stand.distribution()
    digest = app.push_image("one", "1.0")
    assert app.send("DELETE", "manifests/1.0").status == 202
    assert app.send("GET", "manifests/1.0").status == 404
    return app.send("GET", f"manifests/{digest}").status


def delete_of_a_listed_image(stand):
    app = stand.distribution()
    digest = app.push_image("one")
    app.push_index("1.0", [digest])
    return app.send("DELETE", f"manifests/{digest}").status


def tag_of_129(stand):
    app = stand.distribution()
    return app.push_manifest("x" * 129, app.image("one")).status


def move_of_an_immutable_tag(stand):
    stand.client().put_image_tag_mutability(repositoryName="team/app", imageTagMutability="IMMUTABLE")
    app = stand.distribution()
    app.push_image("one", "1.0")
    return code_of(app.push_manifest("1.0", app.image("two")))


def name_of_one_character(stand):
    return code_of(stand.distribution(repository_name="a").send("GET", "tags/list"))


def push_to_no_repository(stand):
    app = stand.distribution(repository_name="no/such")
    status = app.send("POST", "blobs/uploads/").status
    return status, app.send("GET", f"referrers/{NOWHERE}").status


def page_without_n(stand):
    app = stand.distribution()
    for number in range(101):
        app.push_manifest(f"t{number}", {"schemaVersion": 2, "manifests": []}, OCI_INDEX)
    return len(app.send("GET", "tags/list").json()["tags"])


def last_that_is_a_tag(stand):
    stand.distribution().push_image("one", "1.0")
    answer = stand.distribution().send("GET", "tags/list?last=0")
    return answer.status, answer.json().get("tags")


def page_of_1001(stand):
    return stand.distribution().send("GET", "tags/list?n=1001").status


def without_a_token(stand):
    return stand.distribution().send("GET", "/v2/", token="").status


def has_detail(stand):
    return "detail" in stand.distribution().send("GET", f"blobs/{NOWHERE}").json()["errors"][0]


def policy_as_it_was_written(stand):
    text = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"ecr:*"}]}'
    stand.client().set_repository_policy(repositoryName="team/app", policyText=text)
    return stand.client().get_repository_policy(repositoryName="team/app")["policyText"] == text


def event_of_a_referrer(stand):
    subject = {"mediaType": OCI_MANIFEST, "digest": NOWHERE, "size": 3}
    stand.distribution().push_image("signature", subject=subject)
    [event] = [event for _, _, event in stand.events if event["detail-type"].endswith("Action")]
    return event["detail-type"]


SEEN = {
    "patch_answers_201": Seen(patch_status, on=201, off=202),
    "upload_range_sticks": Seen(range_after_two_chunks, on="0-4", off="0-9"),
    "small_parts_refused": Seen(end_of_two_small_chunks, on=400, off=201),
    "empty_blobs_refused": Seen(push_of_nothing, on=400, off=201),
    "upload_errors_are_upload_invalid": Seen(
        wrong_digest, on=(400, "BLOB_UPLOAD_INVALID"), off=(400, "DIGEST_INVALID")
    ),
    "mounting_needs_setting": Seen(mount, on=202, off=201),
    "mounting_needs_same_encryption": Seen(mount_with_another_key, on=202, off=201),
    "mounting_needs_image": Seen(mount, on=202, off=201),
    "mounting_needs_from": Seen(mount_from_anywhere, on=202, off=201),
    "blob_redirect": Seen(get_of_a_blob, on=307, off=200),
    "blobs_need_image": Seen(get_of_a_blob, on=404, off=200),
    "blob_delete_unsupported": Seen(delete_of_a_blob, on=405, off=202),
    "manifest_errors_are_unsupported": Seen(bad_manifest, on=(405, "UNSUPPORTED"), off=(400, "MANIFEST_INVALID")),
    "media_type_parameters_refused": Seen(media_type_with_parameters, on=400, off=201),
    "index_lists_images_only": Seen(index_of_blobs, on=400, off=201),
    "image_digests_are_sha256": Seen(manifest_under_sha512, on=400, off=201),
    "manifests_converted_by_tag": Seen(pull_as_docker_takes_it, on=(DOCKER_MANIFEST, False), off=(OCI_MANIFEST, True)),
    "last_tag_takes_image": Seen(image_without_its_last_tag, on=404, off=200),
    "index_keeps_images": Seen(delete_of_a_listed_image, on=403, off=202),
    "long_image_tags": Seen(tag_of_129, on=201, off=400),
    "tag_errors_are_tag_invalid": Seen(move_of_an_immutable_tag, on=(400, "TAG_INVALID"), off=(403, "DENIED")),
    "short_names_refused": Seen(name_of_one_character, on=(400, "NAME_INVALID"), off=(404, "NAME_UNKNOWN")),
    "repositories_come_first": Seen(push_to_no_repository, on=(404, 404), off=(202, 200)),
    "tags_default_page": Seen(page_without_n, on=100, off=101),
    "tags_page_limit": Seen(page_of_1001, on=405, off=200),
    "tags_page_by_token": Seen(last_that_is_a_tag, on=(405, None), off=(200, ["1.0"])),
    "authorization_required": Seen(without_a_token, on=401, off=200),
    "errors_without_detail": Seen(has_detail, on=False, off=True),
    "referrer_action": Seen(event_of_a_referrer, on="ECR Referrer Action", off="ECR Image Action"),
    "policy_reformatted": Seen(policy_as_it_was_written, on=False, off=True),
}


@pytest.fixture
def stand_with(make_stand, tmp_path):
    """Start a server with these quirks, and the empty repository team/app."""

    def make(text):
        stand = make_stand(tmp_path / text, quirks=Quirks.parse(text))
        stand.client().create_repository(repositoryName="team/app")
        return stand

    return make


@pytest.mark.parametrize("name", SEEN)
def test_a_quirk_is_seen_with_it_and_not_without(stand_with, name):
    seen = SEEN[name]
    assert seen.probe(stand_with(f"none,{name}")) == seen.on
    assert seen.probe(stand_with("none")) == seen.off


def test_no_quirk_is_without_a_test_and_a_source():
    elsewhere = [path.read_text() for path in TESTS.rglob("test_*.py") if path != Path(__file__)]
    for name, what, source in Quirks.table():
        assert what and source, name
        assert name in SEEN or any(name in text for text in elsewhere), f"{name} is tested nowhere"
    assert set(SEEN) <= set(Quirks.names())


def test_mounting_works_as_documented_when_the_account_setting_allows_it(make_stand):
    stand = make_stand()
    stand.client().create_repository(repositoryName="team/app")
    with stand.ecr.store.changing() as change:
        registries.put(change.connection, REGISTRY, registries.ACCOUNT_SETTINGS, {"BLOB_MOUNTING": "ENABLED"})
    assert mount(stand, is_referenced=True) == 201


def test_the_range_sticks_to_the_first_chunk_when_the_server_was_restarted(make_stand, tmp_path):
    stand = make_stand(tmp_path / "kept")
    stand.client().create_repository(repositoryName="team/app")
    location = begin(stand.distribution())
    stand.distribution().send("PATCH", location, body=b"hello")
    stand.server.stop()
    app = make_stand(tmp_path / "kept").distribution()
    assert app.send("PATCH", location, body=b"world").headers["Range"] == "0-4"
    assert app.send("GET", location).headers["Range"] == "0-9"
