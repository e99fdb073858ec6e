"""*AWS API Call via CloudTrail*: somebody called ECR. The only news of a new or changed repository.

The shape is CloudTrail's record; ``errorCode`` is there only where the call failed.
"""

import re
from typing import Annotated, Literal

from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from ecr_steward.domain.callers import Caller
from ecr_steward.domain.names import RepositoryRef
from ecr_steward.domain.observations import RegistryChanged, RepositoryChanged
from ecr_steward.errors import MalformedEventError
from ecr_steward.events.envelope import CamelModel, Envelope, RepositoryNameText

_REPOSITORY_ARN = re.compile(r"arn:aws[a-z-]*:ecr:[a-z0-9-]+:[0-9]{12}:repository/(?P<name>.+)")


class RequestParameters(CamelModel):
    """What the call was about: most operations name the repository, those for resource tags give its ARN."""

    repository_name: RepositoryNameText | None = None
    resource_arn: str | None = None


def _or_nobody(value: object, read: ValidatorFunctionWrapHandler) -> object:
    """Who called is only told to people: an identity of a new shape does not keep the change from being looked at."""
    try:
        return read(value)
    except ValidationError:
        return None


class SessionIssuer(CamelModel):
    """The role, or the federated user, whose session called."""

    arn: str | None = None


class SessionContext(CamelModel):
    """What is known of a session."""

    session_issuer: SessionIssuer | None = None


class UserIdentity(CamelModel):
    """Who called ("CloudTrail userIdentity element", CloudTrail user guide). All of it may be missing."""

    type: str | None = None
    arn: str | None = None
    principal_id: str | None = None
    account_id: str | None = None
    invoked_by: str | None = None
    session_context: SessionContext | None = None

    def to_caller(self) -> Caller | None:
        """Who called, by the best name that there is."""
        name = self.arn or self.invoked_by or self.principal_id or self.account_id
        if name is None:
            return None
        context = self.session_context or SessionContext()
        role = context.session_issuer.arn if context.session_issuer else None
        return Caller(name, role, self.invoked_by if self.invoked_by != name else None)


class ApiCallDetail(CamelModel):
    """``detail`` of a call: the CloudTrail record."""

    event_source: Literal["ecr.amazonaws.com"]
    event_name: Annotated[str, Field(min_length=1)]
    error_code: str | None = None
    user_identity: Annotated[UserIdentity | None, WrapValidator(_or_nobody)] = None
    request_parameters: RequestParameters | None = None
    """CloudTrail writes ``null`` where a call had none, and for many a call that failed."""


class ApiCallEvent(Envelope):
    """A call of the ECR API that a trail logged."""

    source: Literal["aws.ecr"]
    detail_type: Literal["AWS API Call via CloudTrail"]
    detail: ApiCallDetail

    def to_repository_changed(self) -> RepositoryChanged:
        """The change of a repository that this call made.

        Raises MalformedEventError for a call that failed or that names no repository: the rule's pattern lets
        neither through. Raises InvalidNameError for an ARN whose repository name is impossible.
        """
        self._require_success()
        return RepositoryChanged(
            RepositoryRef(self.registry, self._repository_name()), self.detail.event_name, self._by
        )

    def to_registry_changed(self) -> RegistryChanged:
        """The change of a whole registry that this call made. Raises MalformedEventError for a call that failed."""
        self._require_success()
        return RegistryChanged(self.registry, self.detail.event_name, self._by)

    @property
    def _by(self) -> Caller | None:
        return self.detail.user_identity.to_caller() if self.detail.user_identity else None

    def _require_success(self) -> None:
        if self.detail.error_code is not None:
            raise MalformedEventError(
                f"event {self.id} reports a {self.detail.event_name} that failed with {self.detail.error_code} and so "
                "changed nothing; look at the rule's event pattern"
            )

    def _repository_name(self) -> str:
        asked = self.detail.request_parameters or RequestParameters()
        if asked.repository_name is not None:
            return asked.repository_name
        if asked.resource_arn is not None and (arn := _REPOSITORY_ARN.fullmatch(asked.resource_arn)):
            return arn["name"]
        raise MalformedEventError(
            f"event {self.id} reports a {self.detail.event_name} that names no repository: its requestParameters have "
            f"neither repositoryName nor a resourceArn of a repository (found {asked.resource_arn!r})"
        )
