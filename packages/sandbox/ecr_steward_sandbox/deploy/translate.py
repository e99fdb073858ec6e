"""A built SAM template as plain CloudFormation, and which built folder each function and Lambda layer is.

The folder is the one that ``sam build`` writes: ``template.yaml`` whose ``CodeUri`` and ``ContentUri`` are paths
relative to it. A template that has no artefacts needs no build and is given as a file. The translation is AWS's own
(aws-sam-translator), the one that a deployment runs.
"""

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from moto.iam.aws_managed_policies import aws_managed_policies_data
from samtranslator.metrics.metrics import DummyMetricsPublisher, Metrics
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import intrinsics_multi_constructor

from ecr_steward_sandbox.deploy.errors import BuildError, TemplateError
from ecr_steward_sandbox.deploy.in_process import session

CODE_PROPERTIES = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}
TRANSLATED_CODE_PROPERTIES = {"AWS::Lambda::Function": "Code", "AWS::Lambda::LayerVersion": "Content"}
BUCKET = "built"
TEMPLATE_SUFFIXES = frozenset({".yaml", ".yml", ".json"})


class _Loader(yaml.CSafeLoader):
    """As SAM reads a template, by libyaml: in a tenth of the time."""


_Loader.add_multi_constructor("!", intrinsics_multi_constructor)


@dataclass(frozen=True)
class Translation:
    """A plain CloudFormation template and, by logical id, the built folder of each function and Lambda layer."""

    template: Mapping[str, Any]
    folders: Mapping[str, Path]


def translate(source: Path, *, region: str, parameters: Mapping[str, str]) -> Translation:
    """Translate ``source``, a template or a folder with a ``template.yaml``, for a region.

    Raises BuildError where the template or an artefact is missing, TemplateError where SAM refuses the template.
    """
    file = source if source.suffix in TEMPLATE_SUFFIXES else source / "template.yaml"
    template = read_template(file)
    folders = _name_artefacts(template, file.parent)
    metrics = Metrics("sandbox", DummyMetricsPublisher())
    translator = Translator(None, Parser(), boto_session=session(region), metrics=metrics)
    try:
        translated = translator.translate(
            template, parameter_values=dict(parameters), get_managed_policy_map=managed_policy_arns
        )
    except InvalidDocumentException as cause:
        reasons = "; ".join(error.message for error in cause.causes)
        raise TemplateError(f"{file}: {reasons}") from cause
    finally:
        metrics.publish()  # to nobody, but the translator complains on stderr about metrics that were not published
    return Translation(translated, _folders_by_translated_id(translated, folders))


def managed_policy_arns() -> dict[str, str]:
    """Names of AWS's managed policies and their ARNs, from the copy of AWS's list that moto carries."""
    policies = json.loads(aws_managed_policies_data)
    return {name: f"arn:aws:iam::aws:policy{policy['Path']}{name}" for name, policy in policies.items()}


def read_template(path: Path) -> dict[str, Any]:
    """A template as it is written. Raises BuildError or TemplateError."""
    if not path.is_file():
        raise BuildError(f"{path} does not exist")
    stat = path.stat()
    template = copy.deepcopy(_parsed(path, stat.st_mtime_ns, stat.st_size))
    if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
        raise TemplateError(f"{path} has no Resources")
    return template


@lru_cache(maxsize=8)
def _parsed(path: Path, _modified: int, _size: int) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506  it constructs what SafeLoader does


def _name_artefacts(template: dict[str, Any], build: Path) -> dict[str, Path]:
    """Put an S3 address in place of each artefact's path, as ``sam package`` does; the key is the logical id."""
    folders: dict[str, Path] = {}
    for logical_id, resource in template["Resources"].items():
        name = CODE_PROPERTIES.get(resource.get("Type", ""))
        if name is None:
            continue
        properties = resource.setdefault("Properties", {})
        path = properties.get(name)
        if not isinstance(path, str) or not (build / path).is_dir():
            raise BuildError(f"{logical_id}: {name} {path!r} is no folder of {build}")
        folders[logical_id] = (build / path).resolve()
        properties[name] = f"s3://{BUCKET}/{logical_id}"
    return folders


def _folders_by_translated_id(template: Mapping[str, Any], folders: Mapping[str, Path]) -> dict[str, Path]:
    """SAM appends a hash to the logical id of a Lambda layer; the S3 key says which one it was."""
    found: dict[str, Path] = {}
    for logical_id, resource in template["Resources"].items():
        name = TRANSLATED_CODE_PROPERTIES.get(resource["Type"])
        code = resource.get("Properties", {}).get(name, {}) if name else {}
        if code.get("S3Bucket") == BUCKET:
            found[logical_id] = folders[code["S3Key"]]
    return found
