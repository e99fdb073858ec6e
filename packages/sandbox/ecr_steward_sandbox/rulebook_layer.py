"""A changed copy of the deployed rulebook, deployed as any other: a new version of its Lambda layer."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

from ecr_steward.rulebook.load import dump_compiled
from ecr_steward.rulebook.validate import validate
from ecr_steward_sandbox.sandbox import Sandbox

type Change = Callable[[dict[str, Any]], object]

_FILE = "rulebook.json"
_LAYER = "RulebookLayer"


class RulebookLayer:
    """The rulebook that the functions have, and the way to give them another one."""

    def __init__(self, sandbox: Sandbox) -> None:
        (layer,) = (
            each
            for each in sandbox.deployment.of_type("AWS::Lambda::LayerVersion")
            if each.logical_id.startswith(_LAYER)
        )
        self._sandbox = sandbox
        self._arn = layer.physical_id.rpartition(":")[0]
        built = sandbox.deployment.code[layer.physical_id] / _FILE
        self._document: dict[str, Any] = json.loads(built.read_text(encoding="utf-8"))["rulebook"]

    def deploy(self, change: Change) -> int:
        """Change the rulebook, publish it, and let every function use it; answers how many functions there are.

        Raises ValueError where the changed rulebook does not validate: then nothing is published.
        """
        changed = json.loads(json.dumps(self._document))
        change(changed)
        rulebook, problems = validate(changed)
        if rulebook is None:
            raise ValueError("; ".join(map(str, problems)))
        source = json.dumps(changed).encode()
        functions = self.deploy_compiled(dump_compiled(rulebook, "ecr-steward.yaml", source))
        self._document = changed
        return functions

    def deploy_compiled(self, compiled: str) -> int:
        """Publish a compiled rulebook as it is, even one that no build lets pass, and let every function use it."""
        return self._use(self._publish(compiled))

    def _publish(self, compiled: str) -> str:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr(_FILE, compiled)
        published = self._sandbox.client("lambda").publish_layer_version(
            LayerName=self._arn.rpartition(":")[2],
            Content={"ZipFile": content.getvalue()},
            CompatibleRuntimes=["python3.13"],
        )
        return str(published["LayerVersionArn"])

    def _use(self, version: str) -> int:
        client = self._sandbox.client("lambda")
        functions = self._sandbox.deployment.of_type("AWS::Lambda::Function")
        for function in functions:
            found = client.get_function_configuration(FunctionName=function.physical_id)["Layers"]
            layers = [version if layer["Arn"].rpartition(":")[0] == self._arn else layer["Arn"] for layer in found]
            client.update_function_configuration(FunctionName=function.physical_id, Layers=layers)
        return len(functions)
