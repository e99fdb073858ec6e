"""The parameters of a deployment, as far as they bound a rulebook: given, or found beside it as SAM finds them."""

import re
import shlex
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ecr_steward.domain.names import hosts_in
from ecr_steward.rulebook.bounds import (
    OTHER_REGISTRIES,
    OWN_ACCOUNT,
    PULL_ONLY_ROLE,
    SECRET_PREFIX,
    SEE_WORKLOADS,
    SPOKE_ACCOUNTS,
    SPOKE_ORGANIZATION,
    TEMPLATE_ROLE,
    TRUSTED_PRINCIPALS,
    UNBOUNDED,
    Bounds,
)
from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.nearest import nearest_word
from ecr_steward.rulebook.trust import trusted_in

_PATTERNS: Final = {
    SECRET_PREFIX: r"ecr-steward/[A-Za-z0-9/_+=.@-]*",
    PULL_ONLY_ROLE: r"ecr-steward-pull-only[A-Za-z0-9+=,.@_-]{0,43}",
    TEMPLATE_ROLE: r"ecr-steward-creation-template[A-Za-z0-9+=,.@_-]{0,35}",
    SPOKE_ACCOUNTS: r"([0-9]{12}(,[0-9]{12})*)?",
    SPOKE_ORGANIZATION: r"(o-[a-z0-9]{10,32})?",
    OTHER_REGISTRIES: r"([a-z0-9.:=\[\]-]+(,[a-z0-9.:=\[\]-]+)*)?",
    TRUSTED_PRINCIPALS: r"(([0-9]{12}|o-[a-z0-9]{10,32})(,([0-9]{12}|o-[a-z0-9]{10,32}))*)?",
    SEE_WORKLOADS: r"true|false",
    OWN_ACCOUNT: r"[0-9]{12}",
}
"""What the template takes for those parameters that bound a rulebook; a test compares."""
BOUNDING: Final = frozenset(_PATTERNS)
"""The names of the parameters that bound a rulebook."""
_OVERRIDE: Final = re.compile(r"(?:ParameterKey=([^,\s]+),ParameterValue=(.*)|([^=\s]+)=(.*))", re.DOTALL)


@dataclass(frozen=True)
class _Value:
    text: str
    said_in: str


class ParameterError(Exception):
    """A parameter that cannot be, or that cannot be read."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code


def bounds_of(rulebook: Path, given: Iterable[str], environment: str) -> Bounds:
    """What a rulebook may name: by the parameters given, else those of samconfig.toml, else the template's defaults.

    A template counts where it stands beside the rulebook, or two folders above as with ``layers/rulebook``. Without a
    template and without parameters nothing is bounded. ``environment`` is the one of samconfig.toml. Raises
    ParameterError.
    """
    values: dict[str, _Value] = {}
    template = _template_of(rulebook)
    if template is not None:
        values |= _defaults(template)
        values |= _configured(template.with_name("samconfig.toml"), environment)
    values |= _given(given)
    for name, value in values.items():
        if not re.fullmatch(_PATTERNS[name], value.text):
            raise ParameterError(
                Code.PARAMETER, f"the template takes no {name}={value.text} ({value.said_in}), but {_PATTERNS[name]}"
            )
    return _bounds(values) if values else UNBOUNDED


def _bounds(values: Mapping[str, _Value]) -> Bounds:
    def text(name: str) -> str | None:
        return values[name].text if name in values else None

    accounts, hosts, organization = text(SPOKE_ACCOUNTS), text(OTHER_REGISTRIES), text(SPOKE_ORGANIZATION)
    named = frozenset(filter(None, (accounts or "").split(",")))
    return Bounds(
        secret_prefix=text(SECRET_PREFIX),
        pull_only_role=text(PULL_ONLY_ROLE),
        template_role=text(TEMPLATE_ROLE),
        connected=None if accounts is None or organization else named,  # which of an organization's, no file says
        other_registries=None if hosts is None else frozenset(hosts_in(hosts)),
        trusted=trusted_in(text(TRUSTED_PRINCIPALS) or "", named, organization),
        sees_workloads=None if (seen := text(SEE_WORKLOADS)) is None else seen == "true",
        own_account=text(OWN_ACCOUNT),
        said_in={name: value.said_in for name, value in values.items()},
    )


def _template_of(rulebook: Path) -> Path | None:
    folder = rulebook.resolve().parent
    candidates = [folder / "template.yaml", folder.parent.parent / "template.yaml"]
    return next((path for path in candidates if path.is_file() and SECRET_PREFIX in _parameter_lines(path)), None)


def _defaults(template: Path) -> dict[str, _Value]:
    try:
        parameters = YAML(typ="safe", pure=True).load(_parameter_lines(template))["Parameters"]
        return {
            name: _Value(str(parameters[name]["Default"]), f"the default in {template.name}")
            for name in _PATTERNS
            if name in parameters and "Default" in parameters[name]
        }
    except (YAMLError, KeyError, TypeError) as cause:
        raise ParameterError(Code.PARAMETERS_UNREADABLE, f"{template} has no parameters to read: {cause}") from cause


def _parameter_lines(template: Path) -> str:
    """The part of a template that is about parameters: reading all of it takes longer than checking a rulebook."""
    lines = template.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    found: list[str] = []
    for line in lines:
        if found and line[:1].isalpha():
            break
        if found or line.startswith("Parameters:"):
            found.append(line)
    return "".join(found)


def _configured(samconfig: Path, environment: str) -> dict[str, _Value]:
    try:
        document = tomllib.loads(samconfig.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as cause:
        raise ParameterError(Code.PARAMETERS_UNREADABLE, f"{samconfig} cannot be read: {cause}") from cause
    sections: Mapping[str, Any] = document.get(environment) or {}
    values: dict[str, _Value] = {}
    for command in ("global", "deploy"):
        for name, text in overrides_in(sections.get(command, {}).get("parameters", {})):
            if name in _PATTERNS:
                values[name] = _Value(text, f"{environment} in {samconfig.name}")
    return values


def _given(given: Iterable[str]) -> dict[str, _Value]:
    values = {}
    for word in given:
        name, equals, text = word.partition("=")
        if not equals or name not in _PATTERNS:
            nearest = nearest_word(name, _PATTERNS)
            meant = f"; did you mean {nearest}?" if nearest and nearest != name else ""
            raise ParameterError(
                Code.PARAMETER,
                f"--parameter {word} bounds no rulebook{meant}; write NAME=VALUE, with {', '.join(_PATTERNS)}",
            )
        values[name] = _Value(text, "--parameter")
    return values


def overrides_in(parameters: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and values of the template's parameters that a section of samconfig.toml gives, as SAM reads them."""
    overrides = parameters.get("parameter_overrides", "")
    for word in overrides if isinstance(overrides, list) else shlex.split(str(overrides)):
        if found := _OVERRIDE.fullmatch(word):
            yield found[1] or found[3], found[2] if found[1] else found[4]
