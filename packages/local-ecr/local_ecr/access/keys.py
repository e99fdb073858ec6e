"""The condition keys of a request to ECR: how it came, and what it is about.

Source: service authorization reference, "Condition keys for Amazon Elastic Container Registry".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_ecr.iam import Context


@dataclass(frozen=True)
class RequestFacts:
    """What is known of one request from the outside."""

    id: str = ""
    """`x-amzn-RequestId`; empty for what nobody sent over HTTP."""
    source_ip: str = ""
    user_agent: str = ""
    referer: str = ""
    is_by_aws_name: bool = False
    """Whether the client called us by a name that ECR has at AWS; it is then told such names in return."""

    @property
    def keys(self) -> Context:
        """Its condition keys."""
        told = {"aws:SourceIp": self.source_ip, "aws:UserAgent": self.user_agent, "aws:referer": self.referer}
        return {key: value for key, value in told.items() if value}


UNSENT = RequestFacts()
"""Of what the registry does by itself."""


def resource_keys(tags: Mapping[str, str]) -> Context:
    """The resource tags of a repository."""
    return {f"{prefix}:ResourceTag/{key}": value for key, value in tags.items() for prefix in ("aws", "ecr")}


_SETTINGS = frozenset({"GetAccountSetting", "PutAccountSetting"})


def input_keys(operation: str, call_input: Mapping[str, Any]) -> Context:
    """What an operation is asked for: resource tags, or the name of an account setting.

    Tags are those of CreateRepository, TagResource and UntagResource; ListTagsForResource, which the service
    authorization reference lists too, has none in its request.
    """
    if operation in _SETTINGS:
        return {"ecr:AccountSetting": str(call_input["name"])} if "name" in call_input else {}
    if operation not in ("CreateRepository", "TagResource", "UntagResource"):
        return {}
    tags = {one["Key"]: one["Value"] for one in call_input.get("tags", ())}
    tag_keys = [*tags, *call_input.get("tagKeys", ())]
    if not tag_keys:
        return {}
    return {**{f"aws:RequestTag/{key}": value for key, value in tags.items()}, "aws:TagKeys": tag_keys}
