"""A client of one registry's ``/v2/`` face (OCI distribution specification 1.1, as Amazon ECR serves it)."""

import copy
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from threading import Lock
from typing import Self

from urllib3.exceptions import ProtocolError
from urllib3.response import BaseHTTPResponse

from ecr_steward.adapters import limits
from ecr_steward.adapters.blobs import Blobs, Verified
from ecr_steward.adapters.links import next_link
from ecr_steward.adapters.manifests import digest_of, parse_image_tags, parse_manifest, parse_referrers, with_referrer
from ecr_steward.adapters.pages import Pages
from ecr_steward.adapters.session import DONE, FOUND, Session
from ecr_steward.adapters.transport import Transport, read_small, redacted
from ecr_steward.domain.images import MANIFEST_MEDIA_TYPES, OCI_INDEX, Descriptor, Manifest
from ecr_steward.domain.names import Digest, ImageTag
from ecr_steward.errors import (
    DigestMismatchError,
    ImageNotFoundError,
    InvalidImageConfigError,
    InvalidManifestError,
    InvalidNameError,
    RefusedByRegistryError,
    RegistryUnavailableError,
    RepositoryNotFoundError,
    StewardError,
    TooManyReferrersError,
)

# With all of them accepted, ECR never converts a manifest, which would change its digest.
_ANY_MANIFEST = {"Accept": ", ".join(MANIFEST_MEDIA_TYPES)}
_TRIES = 3
"""Of an answer that is to be read as a whole, and whose connection breaks."""


class DistributionClient:
    """One registry, under one login.

    ``origin`` is such as ``https://111122223333.dkr.ecr.eu-west-1.amazonaws.com``. ``authorization`` gives the value
    of the ``Authorization`` header; ``renew``, if given, is called once when the registry takes that for expired, and
    the request is repeated with a new one. ``challenged``, if given, is told what a 401 asks for
    (``WWW-Authenticate``) and which login it refuses, and says whether there is another one now. Other registries
    than ECR (``is_ecr``) get a blob by one request less, and know nothing of IAM. Every method may raise
    AccessDeniedError, ThrottledError and RegistryUnavailableError.
    """

    def __init__(
        self,
        origin: str,
        authorization: Callable[[], str],
        *,
        renew: Callable[[], None] | None = None,
        challenged: Callable[[str, str], bool] | None = None,
        transport: Transport | None = None,
        is_ecr: bool = True,
    ) -> None:
        self._session = Session(origin, authorization, renew, transport or Transport(), challenged, is_ecr=is_ecr)
        self._blobs = Blobs(self._session, at_once=not is_ecr)
        self._lists = Lock()

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return str(self._session.origin)

    @property
    def is_ecr(self) -> bool:
        """Whether this is ECR, which refuses the manifest of what it does not hold."""
        return self._session.is_ecr

    def get_manifest(self, repository_name: str, reference: Digest | ImageTag) -> Manifest:
        """Read a manifest or index, whose bytes must be what its digest, or the registry's word on an image tag, says.

        Raises ImageNotFoundError, RepositoryNotFoundError, DigestMismatchError and InvalidManifestError.
        """
        url = self._session.url(repository_name, "manifests", reference)
        what = f"the manifest {reference}"
        content, headers = self._read(url, "ecr:BatchGetImage", InvalidManifestError, what, _ANY_MANIFEST)
        digest = digest_of(content, _algorithm(reference))
        if digest != reference and isinstance(reference, Digest):
            raise DigestMismatchError(f"{redacted(url)} answered with {digest}")
        told = headers.get("Docker-Content-Digest")
        if told is not None and not isinstance(reference, Digest):
            said = _told(told, url)
            if said != digest_of(content, said.algorithm):
                raise DigestMismatchError(f"{redacted(url)} says that its digest is {said}, and answered with {digest}")
        with _about(what):
            return parse_manifest(content, headers.get("Content-Type"), digest.algorithm)

    def digest_of(self, repository_name: str, reference: Digest | ImageTag) -> Digest | None:
        """What the registry says it has under a reference, without reading it; ``None`` where there is nothing.

        Raises RefusedByRegistryError for a digest that is none.
        """
        url = self._session.url(repository_name, "manifests", reference)
        with self._session.follow(
            "HEAD", url, "ecr:BatchGetImage", headers=_ANY_MANIFEST, expected=FOUND | {404}
        ) as response:
            if response.status == 404:
                return None
            told = response.headers.get("Docker-Content-Digest")
        if isinstance(reference, Digest):
            return reference
        if told is None:
            return self.get_manifest(repository_name, reference).digest
        return _told(told, url)

    def image_tags(self, repository_name: str) -> Iterator[ImageTag]:
        """All image tags. Raises RepositoryNotFoundError, and RefusedByRegistryError for lists that do not end."""
        pages = Pages(f"image tags of {repository_name}", limits.IMAGE_TAGS)
        client = self._within(pages)
        url: str | None = self._session.url(repository_name, "tags", "list")
        while url:
            pages.begin(url)
            content, headers = client._read(url, "ecr:ListImages", RefusedByRegistryError, "a page of image tags")
            link = next_link(headers.get("Link"))
            tags = parse_image_tags(content)
            pages.took(content, tags)
            yield from tags
            url = self._session.origin.own(link, url) if link else None

    def has_manifest(self, repository_name: str, digest: Digest) -> bool:
        """Whether the repository holds this manifest; false where there is no repository."""
        url = self._session.url(repository_name, "manifests", digest)
        return self._session.has(url, "ecr:BatchGetImage", _ANY_MANIFEST)

    def put_manifest(
        self, repository_name: str, reference: Digest | ImageTag, content: bytes, media_type: str
    ) -> Digest:
        """Put a manifest or index, byte for byte, untagged by its digest or under an image tag; returns its digest.

        Raises InvalidManifestError, RepositoryNotFoundError, ImageTagIsImmutableError, RefusedByRegistryError where
        blobs or children are missing, and DigestMismatchError where the registry stored something else.
        """
        manifest = parse_manifest(content, media_type, _algorithm(reference))
        digest = manifest.digest
        if digest != reference and isinstance(reference, Digest):
            raise DigestMismatchError(f"the manifest to be put as {reference} is {digest}")
        url = self._session.url(repository_name, "manifests", reference)
        headers = {"Content-Type": media_type}
        with self._session.send(
            "PUT", url, "ecr:PutImage", headers=headers, body=content, expected=DONE, repeatable=True
        ) as response:
            stored = response.headers.get("Docker-Content-Digest")
            knows_referrers = "OCI-Subject" in response.headers
        if stored is None and not self.has_manifest(repository_name, digest):
            raise RefusedByRegistryError(f"{redacted(url)} was accepted, but {digest} is not there")
        if stored is not None and stored != digest.value:
            raise DigestMismatchError(f"{redacted(url)} was stored as {stored[:100]!r}, not as {digest}")
        if manifest.subject is not None and not knows_referrers and not self._session.is_ecr:
            self._list_by_tag(repository_name, manifest.subject.digest, manifest)
        return digest

    def referrers(self, repository_name: str, subject: Digest) -> tuple[Descriptor, ...]:
        """What refers to an image, from the referrers API; where a registry has none, from the fallback image tag.

        Empty where the repository does not exist. Raises InvalidManifestError, TooManyReferrersError, and
        RefusedByRegistryError for lists that do not end.
        """
        found: list[Descriptor] = []
        pages = Pages(f"referrers of {subject}", limits.REFERRERS, TooManyReferrersError)
        client = self._within(pages)
        url: str | None = self._session.url(repository_name, "referrers", subject)
        while url:
            pages.begin(url)
            try:
                page, url = client._referrers_page(url, subject, pages)
            except RepositoryNotFoundError:
                return ()
            except ImageNotFoundError:
                return client._referrers_by_tag(repository_name, subject)
            found += page
        return tuple(found)

    def blob_exists(self, repository_name: str, digest: Digest) -> bool:
        """Whether the repository holds this blob; false where there is no repository."""
        return self._blobs.has(repository_name, digest)

    @contextmanager
    def open_blob(self, repository_name: str, blob: Descriptor) -> Iterator[Iterable[bytes]]:
        """Stream a blob, verified: its last chunk comes only if size and digest are right.

        Raises ImageNotFoundError; while streaming DigestMismatchError and RegistryUnavailableError.
        """
        with self._blobs.read(repository_name, blob) as chunks:
            yield Verified(chunks, blob)

    def read_blob(self, repository_name: str, blob: Descriptor) -> AbstractContextManager[Iterable[bytes]]:
        """Stream a blob that whoever takes it verifies, across broken connections. Raises as ``open_blob`` does."""
        return self._blobs.read(repository_name, blob)

    def have_blob(
        self,
        repository_name: str,
        blob: Descriptor,
        read: Callable[[], AbstractContextManager[Iterable[bytes]]],
        mount_from: str | None = None,
    ) -> bool:
        """Take a blob from another repository of this registry, or else upload it; false where nothing was sent.

        Raises as ``upload_blob`` does.
        """
        return self._blobs.have(repository_name, blob, read, mount_from)

    def get_config(self, repository_name: str, config: Descriptor) -> bytes:
        """Read an image config, verified.

        Raises ImageNotFoundError, DigestMismatchError, and InvalidImageConfigError where it is too large to be read.
        """
        if config.size > limits.CONFIG_BYTES:
            raise InvalidImageConfigError(
                f"the image config {config.digest} has {config.size} bytes, over the limit of {limits.CONFIG_BYTES}"
            )
        deadline = time.monotonic() + limits.SMALL_ANSWER_SECONDS
        content = bytearray()
        with self.open_blob(repository_name, config) as chunks:
            for chunk in chunks:
                content += chunk
                if time.monotonic() > deadline:
                    seconds = limits.SMALL_ANSWER_SECONDS
                    raise RegistryUnavailableError(f"the image config {config.digest} took longer than {seconds} s")
        return bytes(content)

    def upload_blob(self, repository_name: str, stream: Iterable[bytes], blob: Descriptor) -> None:
        """Upload a blob from chunks of any size, which are read once, verified on the way.

        Raises RepositoryNotFoundError and DigestMismatchError; after any error the registry holds nothing of it.
        """
        self._blobs.upload(repository_name, stream, blob)

    def _within(self, pages: Pages) -> Self:
        """The same, as long as a list may take."""
        made = copy.copy(self)
        made._session = self._session.within(pages.seconds_left, pages.too_slow)
        return made

    def _referrers_page(self, url: str, subject: Digest, pages: Pages) -> tuple[tuple[Descriptor, ...], str | None]:
        what = f"a page of the referrers of {subject}"
        content, headers = self._read(url, "ecr:BatchGetImage", InvalidManifestError, what, {"Accept": OCI_INDEX})
        link = next_link(headers.get("Link"))
        with _about(what):
            page = parse_referrers(content)
        pages.took(content, page)
        return page, self._session.origin.own(link, url) if link else None

    def _read(
        self,
        url: str,
        action: str,
        too_large: type[StewardError],
        what: str,
        accept: Mapping[str, str] | None = None,
    ) -> tuple[bytes, Mapping[str, str]]:
        """A small answer as a whole, and its headers. Where its connection breaks, all of it is asked for again."""
        for attempt in range(1, _TRIES + 1):
            try:
                with self._session.follow("GET", url, action, headers=accept) as response:
                    return self._read_named(response, url, too_large, what), response.headers
            except RegistryUnavailableError as error:
                if attempt == _TRIES or not isinstance(error.__cause__, ProtocolError):
                    raise
        raise AssertionError("the last try returns or raises")

    @staticmethod
    def _read_named(response: BaseHTTPResponse, url: str, too_large: type[StewardError], what: str) -> bytes:
        try:
            return read_small(response, limits.MANIFEST_BYTES, too_large, what)
        except RegistryUnavailableError as error:
            raise RegistryUnavailableError(f"{redacted(url)}: {error}") from error.__cause__

    def _list_by_tag(self, repository_name: str, subject: Digest, referrer: Manifest) -> None:
        """List a referrer where a registry has no referrers API ("Pushing Manifests with Subject")."""
        with self._lists:
            try:
                known = self.get_manifest(repository_name, _referrers_tag(subject)).content
            except (ImageNotFoundError, RepositoryNotFoundError):
                known = None
            content = with_referrer(known, referrer)
            if content != known:
                self.put_manifest(repository_name, _referrers_tag(subject), content, OCI_INDEX)

    def _referrers_by_tag(self, repository_name: str, subject: Digest) -> tuple[Descriptor, ...]:
        try:
            fallback = self.get_manifest(repository_name, _referrers_tag(subject))
        except (ImageNotFoundError, RepositoryNotFoundError):
            return ()
        return fallback.children


@contextmanager
def _about(what: str) -> Iterator[None]:
    """Have an InvalidManifestError name what could not be read."""
    try:
        yield
    except InvalidManifestError as cause:
        raise InvalidManifestError(f"{what}: {cause}") from cause


def _told(text: str, url: str) -> Digest:
    """The digest that a registry names in a header. Raises RefusedByRegistryError."""
    try:
        return Digest(text)
    except InvalidNameError as cause:
        raise RefusedByRegistryError(f"{redacted(url)} says that its digest is {text[:100]!r}") from cause


def _referrers_tag(subject: Digest) -> ImageTag:
    """ "Referrers Tag Schema" of the distribution specification."""
    return ImageTag(subject.value.replace(":", "-"))


def _algorithm(reference: Digest | ImageTag) -> str:
    return reference.algorithm if isinstance(reference, Digest) else "sha256"
