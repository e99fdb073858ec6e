"""What a resource type of the sandbox is: how it is created in moto, and how it is read back.

Every type of our template has a model of its own, also those that moto's CloudFormation knows: moto's drop properties
without a word (a function's Lambda layers, a table's time to live, a role's managed policies) and wire deliveries that
are the sandbox's to make. Ours do what CloudFormation's own handlers do: call the service's public API, so that
botocore's service model refuses a word it does not know, and keep what the API answers.

Order, names and intrinsics stay moto's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from moto.cloudformation.parsing import get_model_map
from moto.core.common_models import CloudFormationModel

from ecr_steward_sandbox.deploy.errors import CreationError
from ecr_steward_sandbox.deploy.in_process import Aws

Properties = Mapping[str, Any]
"""Of one resource, in the shape of the CloudFormation reference, intrinsics resolved."""


@dataclass(frozen=True)
class Created:
    """What a created resource answers to Ref (``physical_id``) and GetAtt (``attributes``)."""

    physical_id: str
    arn: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


class ResourceModel(CloudFormationModel):
    """One resource type. A subclass says what it can create and read, and does both through the service's API."""

    TYPE: ClassVar[str]
    NAME_PROPERTY: ClassVar[str] = ""
    """The property that holds the physical name; where the template leaves it out, moto's stack makes one."""
    NAME_LENGTH: ClassVar[int] = 255
    """The longest name that the service takes; CloudFormation shortens those that it makes."""
    PROPERTIES: ClassVar[frozenset[str]]
    """Those that ``create`` sets and ``read`` returns. Any other stops the deployment, or is in not_simulated."""
    ATTRIBUTES: ClassVar[frozenset[str]] = frozenset()
    """Those that GetAtt knows."""

    def __init__(self, created: Created) -> None:
        self.created = created

    @classmethod
    def create(cls, aws: Aws, name: str, properties: Properties) -> Created:
        """Create the resource named ``name``."""
        raise NotImplementedError

    @classmethod
    def read(cls, aws: Aws, physical_id: str, properties: Properties) -> dict[str, Any]:
        """The properties as they are now, of a resource that was created with ``properties``.

        A list whose order means nothing, and does not come back in the template's, is answered as a set.
        """
        raise NotImplementedError

    # What moto's stack asks of a model.

    @property
    def physical_resource_id(self) -> str:
        return self.created.physical_id

    def get_cfn_attribute(self, attribute: str) -> str:
        return self.created.attributes[attribute]

    def is_created(self) -> bool:
        return True

    @staticmethod
    def cloudformation_type() -> str:
        """moto asks its classes through a static method, which cannot know the subclass; see ``register``."""
        return ""

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr in cls.ATTRIBUTES

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **kwargs: Any,
    ) -> "ResourceModel":
        properties = cloudformation_json["Properties"]
        name = properties.get(cls.NAME_PROPERTY, shortened(resource_name, cls.NAME_LENGTH))
        try:
            return cls(cls.create(Aws(account_id, region_name), name, properties))
        except Exception as cause:
            raise CreationError(f"{kwargs['LogicalId']} ({cls.TYPE}): {cause}") from cause


def register(models: Mapping[str, type[ResourceModel]]) -> None:
    """Make moto's stacks, in this whole process, create these types with these models. Again is harmless.

    moto finds its own models by ``CloudFormationModel.__subclasses__()``, the direct ones, once; ours are not among
    them, so importing this package changes nothing.
    """
    get_model_map().update(models)


def shortened(name: str, length: int) -> str:
    """A made name (stack, logical id, 12 random characters) that keeps its random end."""
    ending = 13
    return name if len(name) <= length else name[: length - ending] + name[-ending:]


def picked(values: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    """Those of ``values`` that are among ``names``."""
    return {name: value for name, value in values.items() if name in names}


def resource_tags(properties: Properties) -> dict[str, str]:
    """CloudFormation writes resource tags as a list of Key and Value; some APIs take a map."""
    return {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """The reverse of ``resource_tags``."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def read_policies(holder: str, policies: dict[str, Any], document: Any) -> dict[str, Any]:
    """Which of the queues or topics hold this very document; the first other document, if there is one."""
    others = [policy for policy in policies.values() if policy != document]
    return {
        holder: [name for name, policy in policies.items() if policy is not None],
        "PolicyDocument": others[0] if others else document,
    }
