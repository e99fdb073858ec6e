"""One ``sam local invoke``: what is passed, and what its answer says."""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TIMEOUT = 120.0


@dataclass(frozen=True)
class Answer:
    """What ``sam local invoke`` printed. It exits 0 also when the function raised, ended or ran out of time."""

    exit_code: int
    output: str
    log: str
    seconds: float

    @property
    def payload(self) -> Any:
        """What the function returned, or the error object that the runtime made of what it raised.

        ``None`` where there is no JSON, as after a timeout.
        """
        lines = self.output.strip().splitlines()
        try:
            return json.loads(lines[-1]) if lines else None
        except ValueError:
            return None

    @property
    def complaint(self) -> str | None:
        """Why the function did not return, or ``None`` where it did."""
        if self.exit_code:
            return f"sam local invoke exited {self.exit_code}"
        if self.payload is None:
            return f"the function returned no JSON: {self.output.strip()!r}"
        if isinstance(self.payload, dict) and "errorType" in self.payload:
            return f"the function raised {self.payload['errorType']}: {self.payload.get('errorMessage')}"
        if isinstance(self.payload, dict) and self.payload.get("batchItemFailures"):
            return f"the function wants messages again: {self.payload['batchItemFailures']}"
        return None


@dataclass(frozen=True)
class Sam:
    """How functions of one build are invoked."""

    template: Path
    architecture: str
    image: str
    environment: Mapping[str, str]
    """Of the ``sam`` process; the function gets its region from here, too."""

    def invoke(self, function: str, event: Any, variables: Mapping[str, str], credentials: Mapping[str, str]) -> Answer:
        """Invoke a function, by logical id, with an event.

        ``variables`` are those that the template declares, resolved; SAM drops any other.
        """
        with tempfile.TemporaryDirectory() as folder:
            event_file, variables_file = Path(folder) / "event.json", Path(folder) / "variables.json"
            event_file.write_text(json.dumps(event), encoding="utf-8")
            variables_file.write_text(json.dumps({"Parameters": dict(variables)}), encoding="utf-8")
            started = time.monotonic()
            done = subprocess.run(  # noqa: S603  (every word of the command is the caller's own)
                [
                    *("sam", "local", "invoke", function),
                    *("--template", self.template),
                    *("--event", event_file),
                    *("--env-vars", variables_file),
                    *("--invoke-image", self.image, "--skip-pull-image"),
                    *("--parameter-overrides", f"Architecture={self.architecture}"),
                ],
                env={
                    **os.environ,
                    **self.environment,
                    **credentials,
                    "TMPDIR": folder,  # SAM leaves a file for each image it builds
                    "AWS_MAX_ATTEMPTS": "1",  # SAM asks STS for the account id first
                    "AWS_EC2_METADATA_DISABLED": "true",
                    "SAM_CLI_TELEMETRY": "0",
                },
                check=False,
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
            )
        return Answer(done.returncode, done.stdout, done.stderr, time.monotonic() - started)
