"""The sandbox as a case finds it: it holds what the event speaks of, and only the function that SAM runs acts in it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import urllib3

from ecr_steward.domain.images import Manifest
from ecr_steward.domain.names import ImageTag, RegistryRef, RepositoryRef
from ecr_steward_sandbox.demo.client import User
from ecr_steward_sandbox.demo.layout import Release
from ecr_steward_sandbox.oci_layout import Layout
from ecr_steward_sandbox.sandbox import Sandbox
from sam_local.given import SERVICES, Given
from sam_local.invocation import Answer
from sam_local.observer import Observer
from sam_local.state import ABROAD, HOME, Seen
from sam_local.subject import Kind, Subject, subject_of

SETTLED_WITHIN = 60.0

type Invoke = Callable[[Any, dict[str, str], dict[str, str]], Answer]
"""Invokes a function with an event, its variables and its credentials."""


@dataclass(frozen=True)
class World:
    """A sandbox and the image that is pushed into it."""

    sandbox: Sandbox
    layout: Layout
    release: Release

    def play(self, function: str, sample: Any, given: Given, invoke: Invoke) -> tuple[Answer, Seen]:
        """Make the sandbox hold what the sample speaks of, invoke the function, and look at what has changed.

        The event has the digest of the real image in place of the sample's, and the name of the given repository.
        """
        self._forget()
        subject = subject_of(sample)
        source = RepositoryRef(RegistryRef(subject.account, HOME), given.repository)
        manifests = self._push(source, subject)
        self._report_scans(source, given, manifests if subject.kind is Kind.IMAGE else list(self.release.children))
        self._settle()
        text = json.dumps(sample).replace(SERVICES, given.repository)
        if subject.digest:
            spoken_of = self.release.children[0] if subject.kind is Kind.CHILD else manifests[0]
            text = text.replace(subject.digest, str(spoken_of.digest))

        observer = Observer(self.sandbox, source, self.release, self.variables(function))
        before = observer.state()
        decisions = self.sandbox.local_ecr.decisions
        decisions.clear()
        role = self.sandbox.deployment.resources[function].properties["Role"]
        answer = invoke(json.loads(text), self.variables(function), self.sandbox.credentials_of(role, function))
        self._settle()
        taken = tuple(decisions.entries())
        digests = tuple(str(manifest.digest) for manifest in manifests)
        return answer, Seen(source, digests, before, observer.state(), _session(role, function), taken)

    def variables(self, function: str) -> dict[str, str]:
        """The environment of a deployed function, in which every reference has become a name or address."""
        properties = self.sandbox.deployment.resources[function].properties
        return {name: str(value) for name, value in properties["Environment"]["Variables"].items()}

    def _forget(self) -> None:
        """Leave nothing of the case before: no repository, no secret, and no notice that was given already."""
        for account in self.sandbox.deployments:
            for region in (HOME, ABROAD):
                ecr = self.sandbox.client("ecr", region, account)
                for repository in ecr.describe_repositories()["repositories"]:
                    ecr.delete_repository(repositoryName=repository["repositoryName"], force=True)
        secrets = self.sandbox.client("secretsmanager", HOME)
        for secret in secrets.list_secrets()["SecretList"]:
            secrets.delete_secret(SecretId=secret["Name"], ForceDeleteWithoutRecovery=True)
        table = str(self.sandbox.deployment.resources["IdempotencyTable"].physical_id)
        dynamodb = self.sandbox.client("dynamodb", HOME)
        for item in dynamodb.scan(TableName=table)["Items"]:
            dynamodb.delete_item(TableName=table, Key={"id": item["id"]})

    def _push(self, source: RepositoryRef, subject: Subject) -> list[Manifest]:
        """Push the image; all manifests that belong to it, its own first."""
        registry = source.registry
        self.sandbox.client("ecr", registry.region, registry.account).create_repository(repositoryName=source.name)
        user = User(self.sandbox, registry.region, registry.account)
        if subject.kind is not Kind.IMAGE:
            user.push(self.layout, self.release, source.name, subject.image_tag)
            return [self.release.index, *self.release.children, self.release.sbom]
        user.push(self.layout, self.release, source.name, sbom=False)
        image = self.release.children[0]
        if subject.image_tag:
            tag = ImageTag(subject.image_tag)
            user.registry.put_manifest(source.name, tag, image.content, image.descriptor.media_type)
        return [image]

    def _report_scans(self, source: RepositoryRef, given: Given, images: list[Manifest]) -> None:
        pairs = zip(given.scans, images, strict=True) if given.scans else ()
        reports = [report for scanned, image in pairs for report in scanned.reports(source.name, str(image.digest))]
        if reports:
            url = f"{self.sandbox.endpoint_url}/_sandbox/scans"
            answer = urllib3.request(
                "POST", url, body=json.dumps(reports).encode(), headers=self.sandbox.control_token.headers
            )
            if answer.status >= 300:
                raise RuntimeError(f"the sandbox does not take the scans: {answer.data.decode()}")

    def _settle(self) -> None:
        """Wait until every message has been answered: the queue of copy jobs does run here."""
        self.sandbox.wait_until_idle(timeout=SETTLED_WITHIN)


def _session(role_arn: str, name: str) -> str:
    """The ARN that STS gives to a session of a role."""
    account, role = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    return f"arn:aws:sts::{account}:assumed-role/{role}/{name}"
