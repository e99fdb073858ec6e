"""From the key of a signed request to the principal that it comes from, and to the secret it must be signed with."""

from __future__ import annotations

import hmac

from ecr_steward_sandbox.api_calls import HttpRequest
from ecr_steward_sandbox.identity import iam
from ecr_steward_sandbox.identity.sessions import Sessions
from local_ecr import MISMATCH, Credential, EcrError, Principal, is_signed_with, root_of_key


class CredentialRefusedError(Exception):
    """Nobody may call with these credentials; the message is AWS's."""


class UnsignedRequestError(CredentialRefusedError):
    """The request names no key."""

    def __init__(self) -> None:
        super().__init__("Request is missing Authentication Token")


class UnknownKeyError(CredentialRefusedError):
    """No account, user or session has the key, the session token is another one's, or the session's role is gone."""

    def __init__(self) -> None:
        super().__init__("The security token included in the request is invalid.")


class WrongSignatureError(CredentialRefusedError):
    """The request was signed with another secret than the one that its key has, or was changed since."""

    def __init__(self) -> None:
        super().__init__(MISMATCH)


class SessionEndedError(CredentialRefusedError):
    """The session's time is over."""

    def __init__(self) -> None:
        super().__init__("The security token included in the request is expired")


class Principals:
    """Knows three kinds of keys: 12 digits are that account's root; sessions of roles; access keys of IAM users."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def of(self, credential: Credential) -> Principal:
        """Who signs with this. Raises UnsignedRequestError, UnknownKeyError or SessionEndedError."""
        key = credential.access_key_id
        if not key:
            raise UnsignedRequestError
        if root := root_of_key(key):
            return root
        session = self._sessions.find(key)
        if session is not None:
            if not hmac.compare_digest((credential.session_token or "").encode(), session.session_token.encode()):
                raise UnknownKeyError
            if self._sessions.has_ended(session):
                raise SessionEndedError
            if iam.identity_of(session.principal) is None:
                raise UnknownKeyError
            return session.principal
        user = iam.user_of_key(key)
        if user is None:
            raise UnknownKeyError
        return user

    def secret_of(self, access_key_id: str) -> str | None:
        """The secret that was given out with a key; None for the 12 digits of a root, which take any secret."""
        session = self._sessions.find(access_key_id)
        return iam.secret_of_key(access_key_id) if session is None else session.secret_access_key

    def of_signed(self, request: HttpRequest, credential: Credential) -> Principal:
        """As `of`, for a request that has a signature. Raises WrongSignatureError as well."""
        principal = self.of(credential)
        secret = self.secret_of(credential.access_key_id)
        if secret is not None and not is_signed_with(
            secret, request.method, request.target, request.headers, request.body
        ):
            raise WrongSignatureError
        return principal

    def of_ecr_call(self, credential: Credential) -> Principal:
        """The same for LocalEcr. Raises EcrError."""
        try:
            return self.of(credential)
        except SessionEndedError as cause:
            raise EcrError("ExpiredTokenException", str(cause)) from cause
        except CredentialRefusedError as cause:
            raise EcrError("UnrecognizedClientException", str(cause)) from cause
