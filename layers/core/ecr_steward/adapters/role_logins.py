"""The ``Logins`` port: fetched as a role from ECR, tried at its ``/v2/`` face."""

import base64
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.ecr_registry import EcrRegistry
from ecr_steward.adapters.login_trial import LoginTrial
from ecr_steward.adapters.paging import all_pages
from ecr_steward.adapters.translation import code_of, translated
from ecr_steward.adapters.transport import Transport
from ecr_steward.domain.credentials import AuthorizationToken, SecretText
from ecr_steward.domain.names import Digest, RegistryRef, RepositoryRef
from ecr_steward.errors import CredentialRefusedError, RefusedByRegistryError

if TYPE_CHECKING:
    from mypy_boto3_ecr.type_defs import AuthorizationDataTypeDef

REPOSITORIES_TRIED = 25
"""Of one registry, the first ones that it lists: a role may be allowed to pull only from some of them."""
_NO_REPOSITORY = "ecr-steward/login-trial"
"""Asked for where a registry has no repository: who may read is told that there is none."""


class RoleLogins:
    """A ``Logins``. ``role_names`` are the names that words of the rulebook, such as ``pull-only``, stand for.

    Repositories and images to try a login with are found as ourselves: who may only pull may list neither.
    """

    def __init__(self, clients: AwsClients, role_names: Mapping[str, str], transport: Transport | None = None) -> None:
        self._clients = clients
        self._role_names = role_names
        self._transport = transport or Transport()

    def fetch(self, registry: RegistryRef, role: str) -> AuthorizationToken:
        name = self._role_names.get(role, role)
        self._refuse_own_role(registry, name)
        client = self._clients.ecr(registry, role=name)
        with translated("ecr:GetAuthorizationToken", f"{registry} as {name}"):
            answer = client.get_authorization_token()
        for data in answer["authorizationData"]:
            return _token(registry, role, data)
        raise RefusedByRegistryError(f"ecr:GetAuthorizationToken on {registry} as {name}: no login in the answer")

    def may_pull(self, token: AuthorizationToken) -> bool:
        return self._pulled(LoginTrial(token, self._transport), token.registry) is not None

    def may_push(self, token: AuthorizationToken) -> bool:
        # One try: each that is refused is an unauthorized call in the records that accounts have alarms on
        # (CloudWatch.2 in Security Hub's controls).
        trial = LoginTrial(token, self._transport)
        return trial.may_push(self._pulled(trial, token.registry) or _NO_REPOSITORY)

    def _pulled(self, trial: LoginTrial, registry: RegistryRef) -> str | None:
        """The first repository that the login may pull from; an invented one where the registry has no repository."""
        repositories = self._some_repositories(registry)
        if not repositories:
            return _NO_REPOSITORY if trial.may_pull(_NO_REPOSITORY, None) else None
        images = ((each.name, self._an_image(each)) for each in repositories)
        return next((name for name, digest in images if trial.may_pull(name, digest)), None)

    def _refuse_own_role(self, registry: RegistryRef, name: str) -> None:
        """A token of the function's own role could push, delete and change policies. Nobody may get one."""
        with translated("sts:GetCallerIdentity", "ourselves"):
            arn = self._clients.sts.get_caller_identity()["Arn"]
        account, resource = arn.split(":")[4:6]
        kind, *names = resource.split("/")
        # Names of roles differ in more than case (CreateRole API reference).
        if kind == "assumed-role" and account == registry.account and names[0].casefold() == name.casefold():
            raise CredentialRefusedError(
                f"{name} is the role of this function itself: a token speaks as whoever fetched it, and this role may "
                "do more than pull. Name another role, such as pull-only"
            )

    def _some_repositories(self, registry: RegistryRef) -> list[RepositoryRef]:
        return [each.ref for each in islice(EcrRegistry(self._clients).repositories(registry), REPOSITORIES_TRIED)]

    def _an_image(self, repository: RepositoryRef) -> Digest | None:
        """Any image of a repository; ``None`` where there is none, or the repository has gone meanwhile."""
        with translated("ecr:ListImages", repository):
            identifiers = all_pages(
                self._clients.ecr(repository.registry),
                "list_images",
                "imageIds",
                page_size=1,
                registryId=repository.registry.account,
                repositoryName=repository.name,
            )
            try:
                return next((Digest(identifier["imageDigest"]) for identifier in identifiers), None)
            except ClientError as cause:
                if code_of(cause) != "RepositoryNotFoundException":
                    raise
                return None


def _token(registry: RegistryRef, role: str, data: "AuthorizationDataTypeDef") -> AuthorizationToken:
    try:
        username, separator, password = (
            base64.b64decode(data["authorizationToken"], validate=True).decode().partition(":")
        )
    except ValueError:
        separator = ""  # the cause holds the token
    if not separator:
        raise RefusedByRegistryError(f"ecr:GetAuthorizationToken on {registry}: the login is no user and password")
    return AuthorizationToken(registry, role, data["proxyEndpoint"], username, SecretText(password), data["expiresAt"])
