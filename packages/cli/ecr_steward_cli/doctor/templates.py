"""A template as CloudFormation answers it: JSON where SAM has translated it, else the text that was deployed."""

from collections.abc import Mapping
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

_WITHOUT_PREFIX: Final = frozenset({"Condition", "Ref"})


class UnreadableTemplateError(Exception):
    """A template that is neither JSON nor YAML."""


class _Constructor(SafeConstructor):
    """Reads the short forms of intrinsic functions: ``!Sub text`` is ``{"Fn::Sub": text}``."""


def _intrinsic(constructor: SafeConstructor, name: str, node: Node) -> Any:
    value: Any
    if isinstance(node, ScalarNode):
        value = constructor.construct_scalar(node)
    elif isinstance(node, MappingNode):
        value = constructor.construct_mapping(node, deep=True)
    else:
        value = constructor.construct_sequence(node, deep=True)
    return {name if name in _WITHOUT_PREFIX else f"Fn::{name}": value}


_Constructor.add_multi_constructor("!", _intrinsic)


def template_of(body: Any) -> Mapping[str, Any]:
    """The template; botocore has parsed one that is JSON. Raises UnreadableTemplateError."""
    if isinstance(body, str):
        yaml = YAML(typ="safe", pure=True)
        yaml.Constructor = _Constructor
        try:
            body = yaml.load(body)
        except YAMLError as error:
            raise UnreadableTemplateError(f"the stack's template is no YAML: {error}") from error
    if not isinstance(body, Mapping):
        raise UnreadableTemplateError("the stack's template is neither JSON nor YAML")
    return body
