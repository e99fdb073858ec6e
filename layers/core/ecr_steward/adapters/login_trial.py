"""What a registry lets a login do, found out by doing it: reading an image, and beginning an upload."""

import logging
from contextlib import suppress

from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.adapters.session import DONE, Session
from ecr_steward.adapters.transport import Transport
from ecr_steward.domain.credentials import AuthorizationToken
from ecr_steward.domain.images import Descriptor
from ecr_steward.domain.names import Digest
from ecr_steward.errors import (
    AccessDeniedError,
    ImageNotFoundError,
    InvalidManifestError,
    RepositoryNotFoundError,
    StewardError,
)

NOWHERE = Digest(f"sha256:{'0' * 64}")
"""The digest of nothing. Who may read is told that it is not there, who may not is told only that."""
_FORBIDDEN = 403
_NOT_FOUND = 404


class LoginTrial:
    """Tries one login at its registry. ECR judges rights before it looks for what a request names.

    Nothing here renews a login or takes another one: the answers are about this one.
    """

    def __init__(self, token: AuthorizationToken, transport: Transport) -> None:
        def authorization() -> str:
            return f"Basic {token.basic.reveal}"

        self._client = DistributionClient(token.endpoint, authorization, transport=transport)
        self._session = Session(token.endpoint, authorization, None, transport)

    def may_pull(self, repository_name: str, digest: Digest | None) -> bool:
        """Whether an image of the repository can be read: its manifest, and a blob of it.

        Without a digest, or where the image has gone meanwhile, what does not exist is asked for. Raises
        ThrottledError, RegistryUnavailableError, and RefusedByRegistryError for an answer that says neither.
        """
        try:
            blob = self._a_blob(repository_name, digest or NOWHERE)
            with suppress(ImageNotFoundError, RepositoryNotFoundError), self._client.open_blob(repository_name, blob):
                pass  # it would come; its bytes are of no interest
        except AccessDeniedError:
            return False
        return True

    def may_push(self, repository_name: str) -> bool:
        """Whether an upload to the repository can be begun; one that was begun is cancelled at once.

        Raises AccessDeniedError where the login is not even known, ThrottledError, RegistryUnavailableError, and
        RefusedByRegistryError for an answer that says neither yes nor no.
        """
        url = self._session.url(repository_name, "blobs", "uploads") + "/"
        answers = DONE | {_FORBIDDEN, _NOT_FOUND}
        with self._session.send("POST", url, "ecr:InitiateLayerUpload", expected=answers) as response:
            if response.status == _FORBIDDEN:
                return False
            if response.status == _NOT_FOUND:
                return True  # allowed, only there is no repository
            upload = self._session.origin.own(response.headers.get("Location", ""), url)
        self._cancel(upload)
        return True

    def _a_blob(self, repository_name: str, digest: Digest) -> Descriptor:
        """A blob of an image, or of an index's first image; of what cannot be read as one, the blob that is nowhere."""
        nothing = Descriptor("application/octet-stream", NOWHERE, 0)
        try:
            manifest = self._client.get_manifest(repository_name, digest)
            if manifest.children:
                manifest = self._client.get_manifest(repository_name, manifest.children[0].digest)
        except (ImageNotFoundError, RepositoryNotFoundError, InvalidManifestError):
            return nothing
        return next(iter(manifest.stored_blobs), nothing)

    def _cancel(self, upload: str) -> None:
        """Give an upload up. That this fails changes nothing: ECR forgets uploads that nobody goes on with."""
        try:
            with self._session.send("DELETE", upload, "ecr:UploadLayerPart", expected=DONE):
                pass
        except StewardError as error:
            logging.getLogger(__name__).warning("an upload that should not have begun is not cancelled: %s", error)
