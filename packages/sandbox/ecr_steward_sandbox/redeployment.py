"""What Lambda's API changes about what runs: new versions of Lambda layers, other code, another configuration.

moto keeps the words and we the bits: a zip is unpacked below the sandbox's own folder, never into the build. The
function's workers are replaced; invocations under way finish in the old ones.
"""

from __future__ import annotations

import base64
import binascii
import io
import itertools
import json
import shutil
import threading
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from ecr_steward_sandbox.api_calls import ApiCall, HttpRequest
from ecr_steward_sandbox.delivery.engine import DeliveryEngine
from ecr_steward_sandbox.delivery.wiring import FunctionConfig
from ecr_steward_sandbox.deploy import Deployment
from ecr_steward_sandbox.deploy.interpreter import RUNTIME
from ecr_steward_sandbox.moto_gateway import HttpAnswer

MAX_UNZIPPED = 262_144_000  # bytes; Lambda quotas: a function's code, or one Lambda layer


class _RefusedError(Exception):
    """Lambda would not take this."""


class Redeployment:
    """Knows the content of every version of a Lambda layer, deployed or published since."""

    def __init__(self, engine: DeliveryEngine, deployments: Sequence[Deployment], folder: Path) -> None:
        self._engine = engine
        self._folder = folder
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._layers = {key: path for one in deployments for key, path in one.code.items() if key.startswith("arn:")}
        self._prepares: Mapping[str, Callable[[Mapping[str, Any]], Path | None]] = {
            "PublishLayerVersion": lambda asked: self._unpack("layer", asked.get("Content") or {}),
            "UpdateFunctionCode": lambda asked: self._unpack("code", asked),
            "UpdateFunctionConfiguration": self._check_configuration,
        }

    def layer_folder(self, arn: str) -> Path | None:
        """The unpacked content of a version of a Lambda layer; ``None`` where there is none of this ARN."""
        return self._layers.get(arn)

    def answer(self, request: HttpRequest, call: ApiCall, store: Callable[[], HttpAnswer]) -> HttpAnswer:
        """What `store`, moto, answers. It is not asked for what Lambda refuses, or the sandbox cannot do.

        Of calls that change what runs one is stored at a time: the last one that moto has stored is what runs.
        """
        prepare = self._prepares.get(call.operation) if call.service == "lambda" else None
        if prepare is None:
            return store()
        asked = json.loads(request.body or b"{}")
        try:
            folder = prepare(asked)
        except _RefusedError as error:
            return HttpAnswer.json(
                400,
                {"Type": "User", "message": str(error)},
                {"x-amzn-ErrorType": "InvalidParameterValueException"},
            )
        with self._lock:
            answer = store()
            is_run = answer.status < 300 and self._follow(call, asked, json.loads(answer.body), folder)
        if folder is not None and not is_run:
            shutil.rmtree(folder)
        return answer

    def _follow(self, call: ApiCall, asked: Mapping[str, Any], stored: Mapping[str, Any], folder: Path | None) -> bool:
        """Take over what moto has stored; False where nothing runs that could."""
        if call.operation == "PublishLayerVersion" and folder is not None:
            self._layers[stored["LayerVersionArn"]] = folder
            return True
        config = self._engine.wiring.function(stored["FunctionArn"])
        if config is None or asked.get("DryRun"):
            return False
        self._engine.update_function(
            self._configured(config, asked, stored) if folder is None else replace(config, code=folder)
        )
        return True

    def _check_configuration(self, asked: Mapping[str, Any]) -> None:
        for arn in asked.get("Layers") or []:
            if arn not in self._layers:
                raise _RefusedError(f"Layer version {arn} does not exist.")
        if asked.get("Runtime", RUNTIME) != RUNTIME:
            raise _RefusedError(f"The sandbox runs functions under the interpreter it has, {RUNTIME}.")
        role_arn = asked.get("Role")
        lambda_service = "lambda.amazonaws.com"
        if role_arn and not self._engine.wiring.service_may_assume(lambda_service, role_arn, role_arn):
            raise _RefusedError("The role defined for the function cannot be assumed by Lambda.")

    def _configured(
        self, config: FunctionConfig, asked: Mapping[str, Any], stored: Mapping[str, Any]
    ) -> FunctionConfig:
        """The function with what was asked for, in the words that moto has for it now."""
        changes: dict[str, Any] = {}
        if "Layers" in asked:
            changes["layers"] = tuple(self._layers[layer["Arn"]] for layer in stored.get("Layers") or [])
        if "Environment" in asked:
            variables = (stored.get("Environment") or {}).get("Variables") or {}
            changes["environment"] = {name: str(value) for name, value in variables.items()}
        for name, field, read in (
            ("Handler", "handler", str),
            ("MemorySize", "memory", int),
            ("Role", "role_arn", str),
            ("Timeout", "timeout", float),
        ):
            if name in asked:
                changes[field] = read(stored[name])
        return replace(config, **changes)

    def _unpack(self, kind: str, content: Mapping[str, Any]) -> Path:
        with _archive(content) as archive:
            folder = self._folder / f"{kind}-{next(self._numbers)}"
            folder.mkdir(parents=True)
            archive.extractall(folder)
            return folder


def _archive(content: Mapping[str, Any]) -> zipfile.ZipFile:
    """The zip in a request. Raises _RefusedError."""
    if "ZipFile" not in content:
        raise _RefusedError("The sandbox takes a zip in the request (ZipFile), not one in S3 and no image.")
    try:
        archive = zipfile.ZipFile(io.BytesIO(base64.b64decode(content["ZipFile"], validate=True)))
    except (binascii.Error, zipfile.BadZipFile) as cause:
        raise _RefusedError(
            "Could not unzip uploaded file. Please check your file, then try to upload again."
        ) from cause
    for entry in archive.infolist():
        path = PurePosixPath(entry.filename)
        if path.is_absolute() or ".." in path.parts:
            raise _RefusedError(f"Could not unzip uploaded file: {entry.filename!r} lies outside of it.")
    if sum(entry.file_size for entry in archive.infolist()) > MAX_UNZIPPED:
        raise _RefusedError(f"Unzipped size must be smaller than {MAX_UNZIPPED} bytes")
    return archive
