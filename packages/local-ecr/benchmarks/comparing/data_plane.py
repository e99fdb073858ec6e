"""What a registry does below /v2/, asked over HTTP by hand."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urljoin

import urllib3

from comparing.operations import CONFIG, LAYER, OCI_MANIFEST, digest_of, manifest

ABSENT = f"sha256:{'0' * 64}"


class Registry:
    """One repository of a registry."""

    def __init__(self, url: str, token: str, name: str, host: str = "") -> None:
        self.url = url
        self.name = name
        self.host = host
        self._token = token
        self._http = urllib3.PoolManager(retries=urllib3.Retry(connect=0, read=0, redirect=2), timeout=20)

    def send(self, method: str, path: str, body: bytes | None = None, **headers: str) -> urllib3.BaseHTTPResponse:
        """`path` is below the repository unless it is a whole URL or begins with a slash."""
        target = path if path.startswith(("/", "http")) else f"/v2/{self.name}/{path}"
        authorization = {"Authorization": f"Basic {self._token}"} if self._token else {}
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.host and urljoin(self.url, target).startswith(self.url):
            given["Host"] = self.host
        return self._http.request(method, urljoin(self.url, target), body=body, headers={**authorization, **given})

    def begin(self) -> str:
        """Where an upload goes on."""
        return self.send("POST", "blobs/uploads/").headers["Location"]

    def push_blob(self, blob: bytes) -> int:
        place = self.begin()
        return self.send("PUT", _with_digest(place, digest_of(blob)), blob).status

    def push(self, reference: str | None = None, **members: Any) -> urllib3.BaseHTTPResponse:
        """Push an image by tag or, with none, by its digest."""
        for blob in (LAYER, CONFIG):
            self.push_blob(blob)
        body = manifest(**members).encode()
        return self.send("PUT", f"manifests/{reference or digest_of(body)}", body, Content_Type=OCI_MANIFEST)


def _with_digest(place: str, digest: str) -> str:
    return f"{place}{'&' if '?' in place else '?'}digest={digest}"


def asks_who_is_calling(registry: Registry) -> bool:
    answer = Registry(registry.url, "", registry.name, registry.host).send("GET", "/v2/")
    return answer.status == 401 and "www-authenticate" in {name.lower() for name in answer.headers}


def takes_a_whole_blob(registry: Registry) -> bool:
    return registry.push_blob(LAYER) == 201 and registry.send("GET", f"blobs/{digest_of(LAYER)}").status in {200, 404}


def serves_what_images_are_made_of(registry: Registry) -> bool:
    registry.push("1.0")
    return registry.send("GET", f"blobs/{digest_of(LAYER)}").data == LAYER


def refuses_a_wrong_digest(registry: Registry) -> bool:
    return registry.send("PUT", _with_digest(registry.begin(), ABSENT), LAYER).status == 400


def takes_a_blob_in_chunks(registry: Registry) -> bool:
    blob = b"c" * 6_000_000
    place = registry.begin()
    first = registry.send("PATCH", place, blob[:5_242_880], Content_Range="0-5242879")
    second = registry.send("PATCH", first.headers["Location"], blob[5_242_880:], Content_Range="5242880-5999999")
    done = registry.send("PUT", _with_digest(second.headers["Location"], digest_of(blob)))
    return done.status == 201


def serves_parts_of_blobs(registry: Registry) -> bool:
    registry.push("1.0")
    part = registry.send("GET", f"blobs/{digest_of(LAYER)}", Range="bytes=2-5")
    return (part.status, part.data) == (206, LAYER[2:6])


def refuses_an_image_without_its_blobs(registry: Registry) -> bool:
    lacking = manifest(layers=[{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": ABSENT, "size": 1}])
    return registry.send("PUT", "manifests/1.0", lacking.encode(), Content_Type=OCI_MANIFEST).status >= 400


def lists_referrers(registry: Registry) -> bool:
    subject = registry.push("1.0").headers["Docker-Content-Digest"]
    described = {"mediaType": OCI_MANIFEST, "digest": subject, "size": len(manifest())}
    pushed = registry.push(artifactType="text/sbom+json", subject=described)
    listed = registry.send("GET", f"referrers/{subject}")
    if pushed.status != 201 or listed.status != 200:
        return False
    return [one["digest"] for one in json.loads(listed.data)["manifests"]] == [pushed.headers["Docker-Content-Digest"]]


def lists_tags_in_pages(registry: Registry) -> bool:
    for number in range(3):
        registry.push(f"1.{number}")
    first = registry.send("GET", "tags/list?n=2")
    return len(json.loads(first.data)["tags"]) == 2 and "Link" in first.headers


def deletes_images_by_digest(registry: Registry) -> bool:
    digest = registry.push("1.0").headers["Docker-Content-Digest"]
    deleted = registry.send("DELETE", f"manifests/{digest}")
    return deleted.status == 202 and registry.send("HEAD", "manifests/1.0").status == 404


def deletes_tags(registry: Registry) -> bool:
    registry.push("1.0")
    return registry.send("DELETE", "manifests/1.0").status == 202


def is_heard_by_the_api(registry: Registry, client: Any) -> bool:
    """What was pushed here is an image of the API, with the same digest."""
    pushed = registry.push("1.0")
    found = client.describe_images(repositoryName=registry.name)["imageDetails"]
    return [one["imageDigest"] for one in found] == [pushed.headers["Docker-Content-Digest"]]


BEHAVIOURS: Mapping[str, Callable[[Registry], bool]] = {
    "a caller is asked who it is": asks_who_is_calling,
    "a blob is pushed in one request": takes_a_whole_blob,
    "a blob is pushed in chunks": takes_a_blob_in_chunks,
    "a blob under another digest is refused": refuses_a_wrong_digest,
    "the blobs of an image are pulled": serves_what_images_are_made_of,
    "a part of a blob is pulled (Range)": serves_parts_of_blobs,
    "an image without its blobs is refused": refuses_an_image_without_its_blobs,
    "referrers are listed": lists_referrers,
    "tags are listed in pages": lists_tags_in_pages,
    "an image is deleted by its digest": deletes_images_by_digest,
    "a tag is deleted": deletes_tags,
}
IN_THE_API = "what was pushed is an image of the API"


def measure_data_plane(url: str, token: str, client: Any = None, host: str = "") -> dict[str, str]:
    """`yes` or `no` by behaviour; `client` is of the API beside it, if there is one.

    `host` is what the Host header says, for a server that tells its registries apart by that.
    """

    def repository() -> Registry:
        name = f"data-{uuid.uuid4().hex[:8]}/app"
        if client is not None:
            client.create_repository(repositoryName=name)
        return Registry(url, token, name, host)

    found = {name: _asked(behaves, repository) for name, behaves in BEHAVIOURS.items()}
    if client is not None:
        found[IN_THE_API] = _asked(lambda registry: is_heard_by_the_api(registry, client), repository)
    return found


def _asked(behaves: Callable[[Registry], bool], repository: Callable[[], Registry]) -> str:
    try:
        return "yes" if behaves(repository()) else "no"
    except (KeyError, ValueError, urllib3.exceptions.HTTPError) as error:
        return f"no: {type(error).__name__}"
