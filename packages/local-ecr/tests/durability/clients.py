"""Clients that push, tag, mount and delete without end, until the server is gone in the middle of a request."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import urllib3

from tests.durability.ledger import Holding, Ledger
from tests.durability.process import OCI_MANIFEST, Faces, digest_of, manifest_of

SHARED = [random.Random(number).randbytes(40_000) for number in range(5)]  # noqa: S311  not for secrets
"""Blobs that all clients push, mount and delete, each in its own repository: their bytes are the same file."""
TAGS = [f"v{number}" for number in range(8)]


@dataclass
class Upload:
    """An upload in parts, and how much of it was acknowledged."""

    location: str
    data: bytes
    received: int = 0
    in_flight: int = 0
    is_ending: bool = False

    @property
    def id(self) -> str:
        return self.location.rsplit("/", 1)[-1]


class Client:
    """Alone in two repositories: one that is copied into another registry, and one that it deletes and makes again."""

    def __init__(self, number: int, seed: str) -> None:
        self._random = random.Random(f"{seed} {number}")  # noqa: S311  to be repeated
        self._number = number
        self.main = Ledger(f"team/w{number}")
        self.scratch = Ledger(f"scratch/w{number}")
        self._upload: Upload | None = None
        self.resumed = 0
        self.failure: BaseException | None = None

    @property
    def ledgers(self) -> list[Ledger]:
        return [self.main, self.scratch]

    def begin(self, server: Faces) -> None:
        """Make the repository."""
        made = self._asks(lambda: server.call("CreateRepository", repositoryName=self.main.repository_name)[0], 200)
        assert self.main.change(Holding(), made)

    def run(self, server: Faces) -> None:
        """Do one thing after another until the server is gone; what is wrong with an answer is kept as `failure`."""
        try:
            while True:
                self._do_something(server)
        except urllib3.exceptions.HTTPError:
            return
        except BaseException as error:
            self.failure = error

    def settle(self, server: Faces) -> None:
        for ledger in self.ledgers:
            ledger.settle(server)
        self._resume(server)

    def _do_something(self, server: Faces) -> None:
        held = self.main.held
        ways: list[tuple[int, Callable[[Faces], None]]] = [
            (6, self._push_image),
            (2, self._refill_scratch),
            (2, self._mount),
            (1 if not held.tags else 3, self._move_tag),
            (2 if held.tags else 0, self._delete_tag),
            (len(held.images) ** 2 // 12, self._delete_image),
            (2, self._refer),
            (2, self._delete_blob),
        ]
        [way] = self._random.choices([one for _, one in ways], [weight for weight, _ in ways])
        way(server)

    def _push_image(self, server: Faces, **members: object) -> None:
        layer = self._random.randbytes(self._random.randrange(1_000, 150_000))
        shared = self._random.choice(SHARED)
        for data in (layer, shared):
            self._push_blob(server, data)
        body = manifest_of(digest_of(shared), [digest_of(layer)], **members)
        self._put(server, body, None if members else self._random.choice(TAGS))

    def _refer(self, server: Faces) -> None:
        if self.main.held.images:
            subject = {"mediaType": OCI_MANIFEST, "digest": self._any(self.main.held.images), "size": 1}
            self._push_image(server, subject=subject, artifactType="application/x-test")

    def _move_tag(self, server: Faces) -> None:
        """Another tag for an image; both faces can."""
        held, image_tag = self.main.held, self._random.choice(TAGS)
        if held.images:
            digest = self._any(held.images)
            if held.tags.get(image_tag) != digest:
                self._put(server, held.images[digest], image_tag)

    def _put(self, server: Faces, body: bytes, image_tag: str | None) -> None:
        name, digest = self.main.repository_name, digest_of(body)
        if self._random.random() < 0.5:
            tagged = {"imageTag": image_tag} if image_tag else {}
            sent = {"repositoryName": name, "imageManifest": body.decode(), "imageManifestMediaType": OCI_MANIFEST}
            ask = self._asks(lambda: server.call("PutImage", **sent, **tagged)[0], 200)
        else:
            ask = self._asks(lambda: server.push_manifest(name, image_tag or digest, body).status, 201)
        self.main.change(self.main.held.with_image(body, image_tag), ask)

    def _delete_tag(self, server: Faces) -> None:
        image_tag = self._any(self.main.held.tags)
        self._delete(server, {"imageTag": image_tag}, self.main.held.without_tag(image_tag))

    def _delete_image(self, server: Faces) -> None:
        digest = self._any(self.main.held.images)
        if self._random.random() < 0.5:
            self._delete(server, {"imageDigest": digest}, self.main.held.without_image(digest))
        else:
            path = f"/v2/{self.main.repository_name}/manifests/{digest}"
            ask = self._asks(lambda: server.send("DELETE", path).status, 202)
            self.main.change(self.main.held.without_image(digest), ask)

    def _delete(self, server: Faces, image_id: dict[str, str], after: Holding) -> None:
        named = {"repositoryName": self.main.repository_name, "imageIds": [image_id]}

        def ask() -> bool:
            status, answer = server.call("BatchDeleteImage", **named)
            assert (status, answer.get("failures")) == (200, []), answer
            return True

        self.main.change(after, ask)

    def _delete_blob(self, server: Faces) -> None:
        alone = sorted(self.main.held.blobs - self.main.held.parts)
        if alone:
            digest = self._random.choice(alone)
            path = f"/v2/{self.main.repository_name}/blobs/{digest}"
            self.main.change(
                self.main.held.without_blob(digest), self._asks(lambda: server.send("DELETE", path).status, 202)
            )

    def _mount(self, server: Faces) -> None:
        digest, source = digest_of(self._random.choice(SHARED)), f"team/w{(self._number + 1) % 4}"
        path = f"/v2/{self.main.repository_name}/blobs/uploads/?mount={digest}&from={source}"

        def ask() -> bool:
            answer = server.send("POST", path)
            if answer.status == 202:  # no image of the other repository is made of it now: an upload begins
                assert server.send("DELETE", answer.headers["Location"]).status == 204
            return answer.status == 201

        self.main.change(self.main.held.with_blob(digest), ask)

    def _refill_scratch(self, server: Faces) -> None:
        """Delete a repository with the blobs that others have, too, and make it again."""
        name = self.scratch.repository_name
        if self.scratch.holding is not None:
            gone = self._asks(lambda: server.call("DeleteRepository", repositoryName=name, force=True)[0], 200)
            self.scratch.change(None, gone)
        made = self._asks(lambda: server.call("CreateRepository", repositoryName=name)[0], 200)
        self.scratch.change(Holding(), made)
        data = self._random.choice(SHARED)
        self._push_whole(server, self.scratch, data)
        body = manifest_of(digest_of(data))
        pushed = self._asks(lambda: server.push_manifest(name, digest_of(body), body).status, 201)
        self.scratch.change(self.scratch.held.with_image(body), pushed)

    def _push_blob(self, server: Faces, data: bytes) -> None:
        if self._random.random() < 0.4:
            self._push_whole(server, self.main, data)
            return
        self._upload = self._start(server, data)
        self._go_on(server, self._upload)

    def _push_whole(self, server: Faces, ledger: Ledger, data: bytes) -> None:
        path = f"/v2/{ledger.repository_name}/blobs/uploads/?digest={digest_of(data)}"
        after = ledger.held.with_blob(digest_of(data))
        ledger.change(after, self._asks(lambda: server.send("POST", path, data).status, 201))

    def _start(self, server: Faces, data: bytes) -> Upload:
        answer = server.send("POST", f"/v2/{self.main.repository_name}/blobs/uploads/")
        assert answer.status == 202, answer.data
        return Upload(answer.headers["Location"], data)

    def _go_on(self, server: Faces, upload: Upload) -> None:
        """Send the parts that are missing by either face, and end the upload by either."""
        while upload.received < len(upload.data):
            size = self._random.randrange(1, len(upload.data) - upload.received + 1)
            part = upload.data[upload.received : upload.received + max(size, len(upload.data) // 4)]
            upload.in_flight = len(part)
            self._send_part(server, upload, part)
            upload.received, upload.in_flight = upload.received + len(part), 0
        upload.is_ending = True
        after = self.main.held.with_blob(digest_of(upload.data))
        self.main.change(after, lambda: self._end(server, upload))
        self._upload = None

    def _send_part(self, server: Faces, upload: Upload, part: bytes) -> None:
        if self._random.random() < 0.5:
            answer = server.send("PATCH", upload.location, part)
            assert answer.status == 201, answer.data
        else:
            begin, name = upload.received, self.main.repository_name
            server.done(
                "UploadLayerPart",
                repositoryName=name,
                uploadId=upload.id,
                partFirstByte=begin,
                partLastByte=begin + len(part) - 1,
                layerPartBlob=base64.b64encode(part).decode(),
            )

    def _end(self, server: Faces, upload: Upload) -> bool:
        digest = digest_of(upload.data)
        if self._random.random() < 0.5:
            answer = server.send("PUT", f"{upload.location}?digest={digest}")
            assert answer.status == 201, answer.data
        else:
            named = {"repositoryName": self.main.repository_name, "uploadId": upload.id}
            status, document = server.call("CompleteLayerUpload", **named, layerDigests=[digest])
            assert status == 200 or document["__type"] == "LayerAlreadyExistsException", document
        return True

    def _resume(self, server: Faces) -> None:
        """An upload goes on behind what was acknowledged, or a part further; one that was ending may be unknown."""
        upload, self._upload = self._upload, None
        if upload is None:
            return
        asked = server.send("GET", upload.location)
        if upload.is_ending and asked.status == 404:
            return
        assert asked.status == 204, f"{upload} is unknown"
        last = int(asked.headers["Range"].removeprefix("0-"))
        received = last + 1 if last else 0
        assert received in {upload.received, upload.received + upload.in_flight}, f"{upload} received {received}"
        upload.received, upload.in_flight, upload.is_ending = received, 0, False
        self.resumed += 1
        self._go_on(server, upload)

    def _any(self, of: Iterable[str]) -> str:
        return self._random.choice(sorted(of))

    @staticmethod
    def _asks(send: Callable[[], int], *expected: int) -> Callable[[], bool]:
        """A request whose answer must be this."""

        def ask() -> bool:
            status = send()
            assert status in expected, f"{status} instead of {expected}"
            return True

        return ask
