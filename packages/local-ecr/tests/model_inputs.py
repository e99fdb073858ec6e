"""Inputs of ECR's operations, made from botocore's model of them: the smallest valid one, and any, right or wrong."""

import base64
from typing import Any

from botocore.model import Shape
from hypothesis import strategies as st

from local_ecr.control.protocol import service_model

OPERATIONS = tuple(sorted(service_model().operation_names))

TEXTS = {
    "RepositoryName": "fuzz/app",
    "RegistryId": "111122223333",
    "Arn": "arn:aws:ecr:us-east-1:111122223333:repository/fuzz/app",
    "UploadId": "00000000-0000-0000-0000-000000000000",
    "ImageDigest": "sha256:" + "0" * 64,
    "LayerDigest": "sha256:" + "0" * 64,
    "BatchedOperationLayerDigest": "sha256:" + "0" * 64,
    "Region": "eu-west-1",
    "PrincipalArn": "arn:aws:iam::111122223333:role/reader",
    "SigningProfileArn": "arn:aws:signer:us-east-1:111122223333:/signing-profiles/p",
    "PullThroughCacheRuleRepositoryPrefix": "quay",
    "Prefix": "fuzz",
    "ReplicationBackfillId": "12345678-1234-1234-1234-123456789012",
    "LifecyclePolicyText": (
        '{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"imageCountMoreThan",'
        '"countNumber":1},"action":{"type":"expire"}}]}'
    ),
}
"""Texts that mean something, by shape: what is there in the registry of the tests, or could be."""

_DEEP = 3


def smallest(shape: Shape | None) -> Any:
    """The required members alone, each as short or small as the model allows."""
    if shape is None:
        return {}
    kind = shape.type_name
    if kind == "structure":
        return {name: smallest(shape.members[name]) for name in shape.required_members}
    if kind == "list":
        return [smallest(shape.member)] * shape.metadata.get("min", 0)
    if kind == "map":
        return {}
    low = shape.metadata.get("min", 0)
    if kind == "string":
        enum = shape.metadata.get("enum")
        return enum[0] if enum else TEXTS.get(shape.name, "x" * max(low, 1))
    return {"boolean": False, "blob": base64.b64encode(b"x").decode(), "double": 0.5}.get(kind, low)


def anything(shape: Shape | None, deep: int = 0) -> st.SearchStrategy[Any]:
    """Mostly what the model says; now and then a value of another type, a member too few or one that is unknown."""
    if shape is None:
        return st.just({}) | _WRONG
    right = _right(shape, deep)
    return st.one_of(right, right, right, right, right, _WRONG)


def _right(shape: Shape, deep: int) -> st.SearchStrategy[Any]:
    kind = shape.type_name
    if kind == "structure":
        members = {name: anything(member, deep + 1) for name, member in shape.members.items() if deep < _DEEP}
        required = {name: member for name, member in members.items() if name in shape.required_members}
        optional = {name: member for name, member in members.items() if name not in required}
        return st.fixed_dictionaries(required, optional={**optional, "unknownMember": _WRONG})
    if kind == "list":
        return st.lists(anything(shape.member, deep + 1), max_size=3)
    if kind == "map":
        return st.dictionaries(st.text(max_size=5), anything(shape.value, deep + 1), max_size=2)
    return _scalar(shape, kind)


def _scalar(shape: Shape, kind: str) -> st.SearchStrategy[Any]:
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 10**9)
    if kind == "string":
        known = st.sampled_from(shape.metadata.get("enum") or [TEXTS.get(shape.name, "x" * max(low, 1))])
        return st.one_of(known, known, known, st.text(max_size=20), st.sampled_from(list(TEXTS.values())))
    if kind in {"integer", "long"}:
        return st.sampled_from([low, high, low - 1, high + 1, 2**63, -1]) | st.integers(low, high)
    if kind == "blob":
        return st.binary(max_size=9).map(lambda data: base64.b64encode(data).decode())
    return {"boolean": st.booleans(), "timestamp": st.floats(0, 2e9)}.get(kind, st.floats(allow_nan=False))


_WRONG = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=6),
    st.just([]),
    st.just({}),
    st.just([None]),
    st.just({"a": {"b": []}}),
    st.just("\ud800"),
    st.just(1e308),
)
