"""The port to settings of whole registries. Each method's docstring names its IAM action and its errors.

Every method may raise ``AccessDeniedError``, ``ThrottledError`` and ``RegistryUnavailableError``, and
``RefusedByRegistryError`` where it changes something. Documents keep the members that nobody here knows, on the way out
and back in.
"""

from collections.abc import Iterator
from typing import Protocol

from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.registries import CreationTemplate
from ecr_steward.domain.repositories import Document


class RegistrySettingsStore(Protocol):
    """The settings of every registry that the caller may reach."""

    def policy(self, registry: RegistryRef) -> Document | None:
        """Read the registry policy; ``None`` where there is none. Needs ecr:GetRegistryPolicy."""
        ...

    def scanning(self, registry: RegistryRef) -> Document:
        """Read the scanning configuration. Needs ecr:GetRegistryScanningConfiguration."""
        ...

    def replication(self, registry: RegistryRef) -> Document:
        """Read the replication configuration. Needs ecr:DescribeRegistry."""
        ...

    def creation_templates(self, registry: RegistryRef) -> Iterator[CreationTemplate]:
        """List the creation templates. Needs ecr:DescribeRepositoryCreationTemplates."""
        ...

    def account_setting(self, registry: RegistryRef, name: str) -> str:
        """Read one account setting. Needs ecr:GetAccountSetting."""
        ...

    def put_policy(self, registry: RegistryRef, document: Document) -> None:
        """Replace the registry policy. Needs ecr:PutRegistryPolicy."""
        ...

    def delete_policy(self, registry: RegistryRef) -> None:
        """Delete the registry policy; one that has gone meanwhile is a success. Needs ecr:DeleteRegistryPolicy."""
        ...

    def put_scanning(self, registry: RegistryRef, document: Document) -> None:
        """Replace the scanning configuration.

        Needs ecr:PutRegistryScanningConfiguration, and for enhanced scans, which are Inspector's, inspector2:Enable,
        inspector2:Disable and inspector2:ListAccountPermissions (permissions of the update handler of
        AWS::ECR::RegistryScanningConfiguration).
        """
        ...

    def put_replication(self, registry: RegistryRef, document: Document) -> None:
        """Replace the replication configuration.

        Needs ecr:PutReplicationConfiguration and iam:CreateServiceLinkedRole (the first one of an account makes a role
        for ECR).
        """
        ...

    def create_template(self, registry: RegistryRef, template: CreationTemplate) -> None:
        """Create a creation template.

        The first one of an account makes AWSServiceRoleForECRTemplate ("Using service-linked roles", ECR user guide).
        Needs ecr:CreateRepositoryCreationTemplate, iam:CreateServiceLinkedRole, ecr:CreateRepository,
        ecr:PutLifecyclePolicy, ecr:SetRepositoryPolicy and iam:PassRole (what ECR will do by it, the caller must be
        allowed to do).
        """
        ...

    def update_template(self, registry: RegistryRef, template: CreationTemplate) -> None:
        """Change what the template holds of one that is there; what is ``None`` or empty stays, but that a lifecycle
        without rules takes away the one that is there.

        Needs ecr:UpdateRepositoryCreationTemplate, ecr:CreateRepository, ecr:PutLifecyclePolicy,
        ecr:SetRepositoryPolicy and iam:PassRole.
        """
        ...

    def put_account_setting(self, registry: RegistryRef, name: str, value: str) -> None:
        """Set one account setting. Needs ecr:PutAccountSetting."""
        ...
