"""Looks at the sandbox from outside, as the roots of its accounts and with the logins that lie in its secrets."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.adapters.manifests import digest_of
from ecr_steward.domain.images import Descriptor
from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.domain.notices import SOURCE
from ecr_steward.errors import AccessDeniedError
from ecr_steward_sandbox.demo.layout import Release
from ecr_steward_sandbox.sandbox import Sandbox
from sam_local.state import ABROAD, HOME, Login, Notice, RepositoryState, State


@dataclass(frozen=True)
class Observer:
    """Observes one case. Logins are tried with the image of its release, which is in ``source``."""

    sandbox: Sandbox
    source: RepositoryRef
    release: Release
    variables: Mapping[str, str]
    """Of the function: they name the failure queue."""

    def state(self) -> State:
        """What registries, bus, failure queue and secrets hold now."""
        registries = [RegistryRef(account, region) for account in self.sandbox.deployments for region in (HOME, ABROAD)]
        return State(
            repositories={
                RepositoryRef(registry, described["repositoryName"]): _repository(ecr, described)
                for registry in registries
                for ecr in [self.sandbox.client("ecr", registry.region, registry.account)]
                for described in ecr.describe_repositories()["repositories"]
            },
            failures=self._failures(),
            notices=tuple(
                Notice(each.event["detail-type"], each.event["detail"])
                for each in self.sandbox.events
                if each.event["source"] == SOURCE
            ),
            secrets=self._secrets(),
        )

    def _failures(self) -> frozenset[str]:
        """At most ten, which no run of the cases exceeds. They stay visible."""
        sqs = self.sandbox.client("sqs", HOME)
        url = self.variables["ECR_STEWARD_FAILURE_QUEUE_URL"]
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return frozenset(message["Body"] for message in answer.get("Messages", ()))

    def _secrets(self) -> dict[str, tuple[Login, ...]]:
        secrets = self.sandbox.client("secretsmanager", HOME)
        held = {
            secret["Name"]: json.loads(secrets.get_secret_value(SecretId=secret["Name"])["SecretString"])
            for secret in secrets.list_secrets()["SecretList"]
        }
        return {
            name: tuple(self._try(host, login["auth"]) for host, login in document["auths"].items())
            for name, document in held.items()
        }

    def _try(self, host: str, auth: str) -> Login:
        """Use a login as Docker does with its ``config.json``. Raises LookupError for a host that is no registry."""
        registries = self.sandbox.local_ecr
        found = registries.registry_at(int(host.rpartition(":")[2]))
        if found is None or registries.registry_host(found) != host:
            raise LookupError(f"a secret holds a login for {host}, which is no registry of the sandbox")
        client = DistributionClient(f"http://{host}", lambda: f"Basic {auth}")
        return Login(RegistryRef(found.account, found.region), pulls=self._pulls(client), pushes=self._pushes(client))

    def _pulls(self, client: DistributionClient) -> bool:
        image = self.release.children[0]
        try:
            pulled = client.get_manifest(self.source.name, image.digest)
            with client.open_blob(self.source.name, image.blobs[0]) as chunks:
                size = sum(map(len, chunks))
        except AccessDeniedError:
            return False
        return pulled.content == image.content and size == image.blobs[0].size

    def _pushes(self, client: DistributionClient) -> bool:
        content = b"not ours"
        try:
            client.upload_blob(self.source.name, [content], Descriptor("text/plain", digest_of(content), len(content)))
        except AccessDeniedError:
            return False
        return True


def _repository(ecr: Any, repository: Mapping[str, Any]) -> RepositoryState:
    name = repository["repositoryName"]
    pages = ecr.get_paginator("describe_images").paginate(repositoryName=name)
    images = {
        each["imageDigest"]: frozenset(each.get("imageTags", ())) for page in pages for each in page["imageDetails"]
    }
    tags = ecr.list_tags_for_resource(resourceArn=repository["repositoryArn"])["tags"]
    policy: str | None
    lifecycle: str | None
    try:
        policy = ecr.get_repository_policy(repositoryName=name)["policyText"]
    except ecr.exceptions.RepositoryPolicyNotFoundException:
        policy = None
    try:
        lifecycle = ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"]
    except ecr.exceptions.LifecyclePolicyNotFoundException:
        lifecycle = None
    return RepositoryState(
        images=images,
        policy=policy,
        lifecycle=lifecycle,
        mutability=repository["imageTagMutability"],
        scan_on_push=repository["imageScanningConfiguration"]["scanOnPush"],
        resource_tags={tag["Key"]: tag["Value"] for tag in tags},
    )
