"""Amazon ECR: settings of a registry. The sandbox's registries are local_ecr, which start when all is deployed."""

from typing import Any

from ecr_steward_sandbox.deploy.in_process import Aws
from ecr_steward_sandbox.deploy.model import Created, Properties, ResourceModel


class PullTimeUpdateExclusion(ResourceModel):
    """Only kept in mind here: ``Sandbox`` tells local_ecr as soon as it runs, and local_ecr refuses what is wrong."""

    TYPE = "AWS::ECR::PullTimeUpdateExclusion"
    PROPERTIES = frozenset({"PrincipalArn"})

    @classmethod
    def create(cls, aws: Aws, name: str, properties: Properties) -> Created:
        return Created(properties["PrincipalArn"])

    @classmethod
    def read(cls, aws: Aws, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"PrincipalArn": physical_id}


MODELS = (PullTimeUpdateExclusion,)
