"""Blobs of one registry: streamed, verified, never held in memory as a whole."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from urllib.parse import urlencode

from urllib3.response import BaseHTTPResponse

from ecr_steward.adapters import limits
from ecr_steward.adapters.session import DONE, FOUND, Session
from ecr_steward.adapters.transport import chunks_of, redacted
from ecr_steward.domain.images import Descriptor
from ecr_steward.domain.names import Digest
from ecr_steward.errors import DigestMismatchError, RefusedByRegistryError, RegistryUnavailableError, StewardError

CREATED = 201
PARTIAL = 206


class Verified:
    """A stream that must turn out to be a blob. Its last chunk comes only if size and digest are right."""

    def __init__(self, chunks: Iterable[bytes], blob: Descriptor) -> None:
        self._chunks = chunks
        self._blob = blob
        self._is_complete = False
        self._canonical = hashlib.sha256() if blob.digest.algorithm != "sha256" else None

    def __iter__(self) -> Iterator[bytes]:
        blob, seen = self._blob, 0
        hasher = hashlib.new(blob.digest.algorithm)
        for chunk in self._chunks:
            seen += len(chunk)
            if seen > blob.size:
                raise DigestMismatchError(f"more than the {blob.size} bytes of {blob.digest} were sent")
            hasher.update(chunk)
            if self._canonical is not None:
                self._canonical.update(chunk)
            if seen == blob.size:
                self._compare(hasher.hexdigest())
            yield chunk
        if seen < blob.size:
            raise DigestMismatchError(f"only {seen} of the {blob.size} bytes of {blob.digest} were sent")
        self._compare(hasher.hexdigest())
        self._is_complete = True

    def require_all_sent(self, upload: str) -> None:
        """Raises RegistryUnavailableError where an answer came although the stream had not come to its end."""
        if not self._is_complete:
            raise RegistryUnavailableError(f"{redacted(upload)} was answered before all bytes were sent")

    def is_known_as(self, digest: str) -> bool:
        """Whether a digest is that of the bytes that were sent: some registries name all content by sha256."""
        canonical = f"sha256:{self._canonical.hexdigest()}" if self._canonical is not None else None
        return digest in (self._blob.digest.value, canonical)

    def _compare(self, hexdigest: str) -> None:
        if f"{self._blob.digest.algorithm}:{hexdigest}" != self._blob.digest.value:
            raise DigestMismatchError(f"the bytes sent as {self._blob.digest} have the hash {hexdigest}")


class Blobs:
    """The blobs of a registry.

    ``at_once`` uploads with a PUT alone after the POST, which saves a round trip and which every registry takes by the
    specification; Amazon's own clients send to ECR by PATCH, and so do we.
    """

    def __init__(self, session: Session, *, at_once: bool = False) -> None:
        self._session = session
        self._at_once = at_once

    def has(self, repository_name: str, digest: Digest) -> bool:
        """Whether the repository holds this blob; false where there is no repository."""
        return self._session.has(self._session.url(repository_name, "blobs", digest), "ecr:BatchCheckLayerAvailability")

    @contextmanager
    def read(self, repository_name: str, blob: Descriptor) -> Iterator[Iterable[bytes]]:
        """A blob as it arrives, not verified. Where the connection breaks, it goes on from the last byte.

        Raises ImageNotFoundError; while it is read RegistryUnavailableError when it breaks once more without any byte.
        """
        with ExitStack() as stack:
            response = stack.enter_context(self.stored(repository_name, blob.digest))
            yield self._resumed(repository_name, blob, response, stack)

    def _resumed(
        self, repository_name: str, blob: Descriptor, response: BaseHTTPResponse, stack: ExitStack
    ) -> Iterator[bytes]:
        seen = 0
        for _ in range(limits.RESUMES + 1):
            before = seen
            try:
                for chunk in chunks_of(response):
                    seen += len(chunk)
                    yield chunk
                return
            except RegistryUnavailableError as cause:
                if seen == before or seen >= blob.size:
                    raise RegistryUnavailableError(self._cut_short(repository_name, blob, seen, cause)) from cause
                why = self._cut_short(repository_name, blob, seen, cause)
            stack.close()
            response = stack.enter_context(self.stored(repository_name, blob.digest, offset=seen))
            if response.status != PARTIAL:  # a registry without Range begins anew, and so does whoever reads
                raise RegistryUnavailableError(why)
            if not response.headers.get("Content-Range", "").startswith(f"bytes {seen}-"):
                raise RefusedByRegistryError(
                    f"{blob.digest} goes on elsewhere than after {seen} bytes, as was asked for"
                )
        raise RefusedByRegistryError(f"{blob.digest} was cut short more than {limits.RESUMES} times")

    @contextmanager
    def stored(self, repository_name: str, digest: Digest, *, offset: int = 0) -> Iterator[BaseHTTPResponse]:
        """Follow a blob to where it is stored, and have the answer that holds its bytes, not verified yet.

        ``offset`` asks for what comes after so many bytes; the answer's status says whether that was heard.
        """
        url = self._session.url(repository_name, "blobs", digest)
        headers = {"Range": f"bytes={offset}-"} if offset else None
        expected = FOUND | ({PARTIAL} if offset else set())
        with self._session.follow(
            "GET", url, "ecr:GetDownloadUrlForLayer", headers=headers, expected=expected
        ) as response:
            yield response

    def _cut_short(self, repository_name: str, blob: Descriptor, seen: int, cause: RegistryUnavailableError) -> str:
        url = self._session.url(repository_name, "blobs", blob.digest)
        return f"{url} was cut short after {seen} of {blob.size} bytes: {cause}"

    def upload(self, repository_name: str, chunks: Iterable[bytes], blob: Descriptor) -> None:
        """Upload a blob from a stream that is read once, and give the upload up unless all of it is right."""
        self.have(repository_name, blob, lambda: nullcontext(chunks))

    def have(
        self,
        repository_name: str,
        blob: Descriptor,
        read: Callable[[], AbstractContextManager[Iterable[bytes]]],
        mount_from: str | None = None,
    ) -> bool:
        """Have a blob from a stream that is opened when it is needed; false where it is not.

        ``mount_from`` is a repository of this registry that holds it: where the registry takes it from there, nothing
        has to be sent ("Mounting a blob from another repository" of the distribution specification). One that does not
        begins an upload instead.
        """
        start = self._session.url(repository_name, "blobs", "uploads") + "/"
        if mount_from:
            start += f"?{urlencode({'mount': blob.digest.value, 'from': mount_from})}"
        with self._session.send("POST", start, "ecr:InitiateLayerUpload", expected=DONE) as response:
            if mount_from and response.status == CREATED:
                return False
            upload = self._location(response, start)
        try:
            with read() as chunks:
                content = Verified(chunks, blob)
                if self._at_once:
                    stored = self._complete(upload, blob, content)
                    content.require_all_sent(upload)
                else:
                    stored = self._complete(self._fill(upload, content, blob), blob)
        except BaseException as error:
            self._give_up(upload, error)
            raise
        self._require_same(repository_name, blob, content, stored)
        return True

    def _fill(self, upload: str, content: Verified, blob: Descriptor) -> str:
        # One PATCH with everything: ECR wants parts of 5 MiB or more, and its Range answers do not move on.
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(blob.size)}
        with self._session.send(
            "PATCH", upload, "ecr:UploadLayerPart", headers=headers, body=content, expected=DONE
        ) as response:
            continued = self._location(response, upload)
        content.require_all_sent(upload)
        return continued

    def _complete(self, upload: str, blob: Descriptor, content: Verified | None = None) -> str:
        """Answers as what the registry says that it has stored it."""
        url = f"{upload}{'&' if '?' in upload else '?'}{urlencode({'digest': blob.digest.value})}"
        size = blob.size if content else 0
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        with self._session.send(
            "PUT", url, "ecr:CompleteLayerUpload", headers=headers, body=content or b"", expected=DONE
        ) as response:
            return response.headers.get("Docker-Content-Digest", blob.digest.value)

    def _require_same(self, repository_name: str, blob: Descriptor, content: Verified, stored: str) -> None:
        """Raises DigestMismatchError where other bytes were stored, or these under another digest alone."""
        if stored == blob.digest.value:
            return
        if not content.is_known_as(stored):
            raise DigestMismatchError(f"{blob.digest} was stored as {stored[:100]!r} in {repository_name}")
        if not self.has(repository_name, blob.digest):
            raise DigestMismatchError(
                f"{blob.digest} was stored in {repository_name} as {stored}, and is not found by its own digest: this "
                f"registry does not keep blobs by {blob.digest.algorithm}"
            )

    def _give_up(self, upload: str, error: BaseException) -> None:
        """Tell the registry that nothing more will come. That this failed too is worth a note, not another error."""
        try:
            with self._session.send("DELETE", upload, "ecr:UploadLayerPart", expected=DONE):
                pass
        except StewardError as also:
            error.add_note(f"The upload could not be cancelled either: {also}")

    def _location(self, response: BaseHTTPResponse, base: str) -> str:
        return self._session.origin.own(response.headers.get("Location", ""), base)
