"""Blobs of one registry: streamed, verified, never held in memory as a whole."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from urllib.parse import urlencode, urljoin

from urllib3.response import BaseHTTPResponse

from ecr_steward.adapters import limits
from ecr_steward.adapters.session import DONE, FOUND, REDIRECTED, Session
from ecr_steward.adapters.transport import Origin, redacted
from ecr_steward.domain.images import Descriptor
from ecr_steward.domain.names import Digest
from ecr_steward.errors import DigestMismatchError, RefusedByRegistryError, RegistryUnavailableError, StewardError


class Verified:
    """A stream that must turn out to be a blob. Its last chunk comes only if size and digest are right."""

    def __init__(self, chunks: Iterable[bytes], blob: Descriptor) -> None:
        self._chunks = chunks
        self._blob = blob
        self.is_complete = False
        """Whether the stream came to its end and is the blob."""

    def __iter__(self) -> Iterator[bytes]:
        blob, seen = self._blob, 0
        hasher = hashlib.new(blob.digest.algorithm)
        for chunk in self._chunks:
            seen += len(chunk)
            if seen > blob.size:
                raise DigestMismatchError(f"more than the {blob.size} bytes of {blob.digest} were sent")
            hasher.update(chunk)
            if seen == blob.size:
                self._compare(hasher.hexdigest())
            yield chunk
        if seen < blob.size:
            raise DigestMismatchError(f"only {seen} of the {blob.size} bytes of {blob.digest} were sent")
        self._compare(hasher.hexdigest())
        self.is_complete = True

    def _compare(self, hexdigest: str) -> None:
        if f"{self._blob.digest.algorithm}:{hexdigest}" != self._blob.digest.value:
            raise DigestMismatchError(f"the bytes sent as {self._blob.digest} have the hash {hexdigest}")


class Blobs:
    """The blobs of a registry."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def has(self, repository_name: str, digest: Digest) -> bool:
        """Whether the repository holds this blob; false where there is no repository."""
        return self._session.has(self._session.url(repository_name, "blobs", digest), "ecr:BatchCheckLayerAvailability")

    @contextmanager
    def stored(self, repository_name: str, digest: Digest) -> Iterator[BaseHTTPResponse]:
        """Follow a blob to where it is stored, and have the answer that holds its bytes, not verified yet.

        ECR redirects to a presigned URL elsewhere, which must not see the login (GHSA-vh4v-2xq2-g5cg).
        """
        url, anonymous = self._session.url(repository_name, "blobs", digest), False
        for _ in range(limits.REDIRECTS + 1):
            with self._session.send(
                "GET", url, "ecr:GetDownloadUrlForLayer", expected=FOUND | REDIRECTED, anonymous=anonymous
            ) as response:
                if response.status not in REDIRECTED:
                    yield response
                    return
                url = redirect_target(response, url)
            # Once it has left, it stays without: whoever sent it back is not to be trusted with the login.
            anonymous = anonymous or Origin.of(url) != self._session.origin
        raise RefusedByRegistryError(f"{digest} is redirected more than {limits.REDIRECTS} times")

    def upload(self, repository_name: str, chunks: Iterable[bytes], blob: Descriptor) -> None:
        """Upload a blob from a stream that is read once, and give the upload up unless all of it is right."""
        start = self._session.url(repository_name, "blobs", "uploads/")
        with self._session.send("POST", start, "ecr:InitiateLayerUpload", expected=DONE) as response:
            upload = self._location(response, start)
        try:
            self._complete(self._fill(upload, Verified(chunks, blob), blob), blob)
        except BaseException as error:
            self._give_up(upload, error)
            raise

    def _fill(self, upload: str, content: Verified, blob: Descriptor) -> str:
        # One PATCH with everything: ECR wants parts of 5 MiB or more, and its Range answers do not move on.
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(blob.size)}
        with self._session.send(
            "PATCH", upload, "ecr:UploadLayerPart", headers=headers, body=content, expected=DONE
        ) as response:
            continued = self._location(response, upload)
        if not content.is_complete:
            raise RegistryUnavailableError(f"{redacted(upload)} was answered before all bytes were sent")
        return continued

    def _complete(self, upload: str, blob: Descriptor) -> None:
        url = f"{upload}{'&' if '?' in upload else '?'}{urlencode({'digest': blob.digest.value})}"
        with self._session.send("PUT", url, "ecr:CompleteLayerUpload", body=b"", expected=DONE) as response:
            stored = response.headers.get("Docker-Content-Digest", blob.digest.value)
        if stored != blob.digest.value:
            raise DigestMismatchError(f"{redacted(upload)} was stored as {stored[:100]!r}, not as {blob.digest}")

    def _give_up(self, upload: str, error: BaseException) -> None:
        """Tell the registry that nothing more will come. That this failed too is worth a note, not another error."""
        try:
            with self._session.send("DELETE", upload, "ecr:UploadLayerPart", expected=DONE):
                pass
        except StewardError as also:
            error.add_note(f"The upload could not be cancelled either: {also}")

    def _location(self, response: BaseHTTPResponse, base: str) -> str:
        return self._session.origin.own(response.headers.get("Location", ""), base)


def redirect_target(response: BaseHTTPResponse, url: str) -> str:
    """Where an answer from ``url`` redirects to. Raises RefusedByRegistryError where that gives up encryption."""
    target = urljoin(url, response.headers.get("Location", ""))
    if Origin.of(target).scheme != "https" and Origin.of(url).scheme == "https":
        raise RefusedByRegistryError(f"{redacted(url)} redirects to {redacted(target)}, which is not encrypted")
    return target
