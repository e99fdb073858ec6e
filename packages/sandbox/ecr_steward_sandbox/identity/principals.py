"""From the key that a request was signed with to the principal that it comes from. Signatures are not verified."""

from __future__ import annotations

import hmac

from ecr_steward_sandbox.identity import iam
from ecr_steward_sandbox.identity.sessions import Sessions
from local_ecr import Credential, EcrError, Principal, root_of_key


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

    def of_ecr_call(self, credential: Credential) -> Principal:
        """The same for LocalEcr. Raises EcrError."""
        try:
            return self.of(credential)
        except SessionEndedError as cause:
            raise EcrError("ExpiredTokenException", str(cause)) from cause
        except CredentialRefusedError as cause:
            raise EcrError("UnrecognizedClientException", str(cause)) from cause
