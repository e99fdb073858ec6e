"""A login to ECR that Docker keeps, and AWS's own in its place once it has expired."""

# ruff: noqa: PLC0415 - botocore takes longer to import than many a copy takes, and a login that lives needs none of it

import sys
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

from ecr_steward.adapters.token_servers import Password
from ecr_steward.adapters.transport import Transport
from ecr_steward.domain.names import RegistryRef, registry_at
from ecr_steward.errors import AccessDeniedError, PermanentError, RegistryUnavailableError, RetryableError

if TYPE_CHECKING:
    from ecr_steward.adapters.clients import AwsClients
    from ecr_steward.adapters.registry_login import RegistryLogin


class EcrLogin:
    """Logins to one registry of ECR, which go to one address. Safe to use from several threads.

    The one that is kept has been chosen by a person, so it is used while it lives. When ECR takes it no more, AWS's own
    is, as long as AWS's own credentials are of the registry's account: those of another one would say less, or more,
    than the person meant.
    """

    def __init__(
        self, origin: str, kept: Password, registry: RegistryRef, transport: Transport, aws: Callable[[], "AwsClients"]
    ) -> None:
        """``origin`` is such as ``https://111122223333.dkr.ecr.eu-west-1.amazonaws.com``."""
        self.origin = origin
        self._kept = kept
        self._registry = registry
        self._transport = transport
        self._aws = aws
        self._own: RegistryLogin | None = None
        self._refusal: AccessDeniedError | None = None
        self._lock = Lock()

    def authorization(self) -> str:
        """The value of the ``Authorization`` header. Raises StewardError."""
        with self._lock:
            return self._own.to(self._registry).authorization if self._own else self._kept.basic

    def renew(self) -> None:
        """Have another login than the one that ECR did not take.

        Raises AccessDeniedError where there is none, or the kept one lives and what was asked for is not allowed, and
        the retryable errors, after which the next request asks again.
        """
        with self._lock:
            if self._own:
                self._own.renew(self._registry)
                return
            if self._refusal:
                raise self._refusal
            try:
                self._require_expired()
                self._own = self._login_of_aws()
            except AccessDeniedError as error:
                self._refusal = error  # many requests are under way, and each would look for AWS's credentials again
                raise
            said = f"the login that is kept for {self._host} has expired; AWS's own is used in its place"
            sys.stderr.write(f"note: {said}\n")

    @property
    def _host(self) -> str:
        return self.origin.partition("://")[2]

    def _require_expired(self) -> None:
        """Ask ECR, whose answer to HEAD says no more than 403, whatever is wrong."""
        url, headers = f"{self.origin}/v2/", {"Authorization": self._kept.basic}
        with self._transport.exchange("GET", url, operation="ping", headers=headers, repeatable=True) as response:
            status = response.status
        if status == 200:
            raise AccessDeniedError(
                f"the login that is kept for {self._host} may not do this. Log in as somebody who may, or "
                f"docker logout {self._host} to have AWS's own login used"
            )
        if status not in (400, 401, 403):
            raise RegistryUnavailableError(f"{url} answered {status}")

    def _login_of_aws(self) -> "RegistryLogin":
        from ecr_steward.adapters.clock import utc_now
        from ecr_steward.adapters.registry_login import RegistryLogin
        from ecr_steward.adapters.translation import translated

        died = AccessDeniedError(
            f"the login that is kept for {self._host} is not accepted any more: such a login lives for twelve hours. "
            f"Log in again, or docker logout {self._host} to have AWS's own login used"
        )
        login = RegistryLogin(self._aws(), utc_now)
        try:
            with translated("ecr:GetAuthorizationToken", self._registry):
                told = self._aws().ecr(self._registry).get_authorization_token()
            login.to(self._registry)
        except PermanentError as cause:
            died.add_note(f"nor is there a login of AWS's own: {cause}")
            raise died from cause
        except RetryableError as error:
            error.add_note(f"the login that is kept for {self._host} has expired, and AWS's own was asked for")
            raise
        addresses = [data["proxyEndpoint"].partition("://")[2] for data in told["authorizationData"]]
        if self._registry not in map(registry_at, addresses):  # no registry was named: it is the caller's own
            died.add_note(f"AWS's own credentials are of another account: {', '.join(addresses)}")
            raise died
        return login
