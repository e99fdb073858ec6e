"""deploy.py: run `sam deploy` with what samconfig.toml of this checkout keeps; ask for it the first time.

SAM looks for samconfig.toml beside the template, which for a built one is a folder that the next build empties, and a
`--parameter-overrides` on the command line replaces all that the file keeps. Guided mode sends every parameter that it
shows, so a stack that exists is only changed by what was kept, here or in the stack itself.
"""

import argparse
import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ecr_steward_cli.parameters import overrides_in

ROOT: Final = Path(__file__).parents[2]
BUILT: Final = Path(".aws-sam") / "deploy"
PIN: Final = Path(__file__).with_name("pin_architecture.py")


@dataclass(frozen=True)
class Kept:
    """What an environment of samconfig.toml keeps for `sam deploy`."""

    stack_name: str
    region: str | None = None
    profile: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Stack:
    """A stack as DescribeStacks shows it."""

    status: str
    parameters: Mapping[str, str]


class DeployError(Exception):
    """Why nothing is deployed, and what to do about it."""


def main() -> None:
    """Build where there is code, then run SAM in place of this process."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--config-file", type=Path, default=ROOT / "samconfig.toml")
    arguments.add_argument("--config-env", default="default", help="the environment of the file")
    arguments.add_argument("--architecture", choices=("arm64", "x86_64"), help="(default: the one kept, else arm64)")
    arguments.add_argument("--template-file", type=Path, help="a template that needs no build")
    arguments.add_argument("--unnamed", default="ecr-steward", help="the stack, where the environment names none")
    arguments.add_argument("--region", help="(default: the one kept, else that of the environment's variables)")
    arguments.add_argument("--profile", help="(default: the one kept)")
    given, passed_on = arguments.parse_known_args()
    try:
        kept = kept_in(given.config_file, given.config_env, given.unnamed)
        kept = placed(kept, given.config_env, given.region, given.profile)
        stack = stack_of(kept)
        overrides = overridden(kept, stack, given.architecture)
        template = given.template_file
        if template is None:
            template = build(overrides.get("Architecture") or given.architecture or "arm64")
    except DeployError as refused:
        sys.exit(f"Error: {refused}")
    command = sam_deploy(template, given.config_file, given.config_env, kept=kept, stack=stack, overrides=overrides)
    os.execvp(command[0], [*command, *passed_on])  # noqa: S606 - SAM asks and answers by itself


def sam_deploy(
    template: Path, config: Path, environment: str, *, kept: Kept, stack: Stack | None, overrides: Mapping[str, str]
) -> list[str]:
    """The command that asks where nothing is kept, and changes nothing that was not said where something is."""
    command = ["sam", "deploy", "--template-file", str(template), "--config-file", str(config.resolve())]
    command += ["--config-env", environment, "--stack-name", kept.stack_name, "--capabilities", "CAPABILITY_NAMED_IAM"]
    command += ["--region", kept.region] if kept.region else []
    command += ["--profile", kept.profile] if kept.profile else []
    command.append("--no-fail-on-empty-changeset")
    if template.is_relative_to(BUILT):
        command.append("--resolve-s3")
    if not kept.parameters and overrides:
        command += ["--parameter-overrides", *(f'{name}="{value}"' for name, value in overrides.items())]
    if not kept.parameters and stack is None:
        command.append("--guided")
    return command


def kept_in(config: Path, environment: str, unnamed: str) -> Kept:
    """Read an environment of samconfig.toml; ``unnamed`` is the stack where it names none. Raises DeployError."""
    try:
        document = tomllib.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError) as cause:
        raise DeployError(f"{config} cannot be read: {cause}") from cause
    sections: Mapping[str, Any] = document.get(environment, {})
    values: dict[str, Any] = {}
    for command in ("global", "deploy"):
        values |= sections.get(command, {}).get("parameters", {})
    return Kept(
        stack_name=values.get("stack_name", unnamed),
        region=values.get("region"),
        profile=values.get("profile"),
        parameters=dict(overrides_in(values)),
    )


def placed(kept: Kept, environment: str, region: str | None, profile: str | None) -> Kept:
    """What is kept, in the region and with the profile given. Raises DeployError where another region is kept."""
    if region and kept.region and region != kept.region:
        raise DeployError(
            f"samconfig.toml keeps region={kept.region} for the environment {environment}: keep the answers for "
            f"{region} under another name, with CONFIG_ENV=NAME"
        )
    return replace(kept, region=region or kept.region, profile=profile or kept.profile)


def stack_of(kept: Kept) -> Stack | None:
    """The stack as it is, or None. Needs cloudformation:DescribeStacks. Raises DeployError."""
    try:
        session = boto3.Session(profile_name=kept.profile)
        client = session.client(
            "cloudformation",
            region_name=kept.region or session.region_name or "us-east-1",  # as SAM chooses
            config=Config(retries={"total_max_attempts": 3, "mode": "standard"}),
        )
        found = client.describe_stacks(StackName=kept.stack_name)["Stacks"][0]
    except ClientError as cause:
        if "does not exist" in str(cause):
            return None
        raise DeployError(f"whether the stack {kept.stack_name} exists cannot be read: {cause}") from cause
    except BotoCoreError as cause:
        raise DeployError(f"CloudFormation cannot be asked: {cause}") from cause
    if found["StackStatus"] == "REVIEW_IN_PROGRESS":  # only a change set was ever made
        return None
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", [])}
    return Stack(found["StackStatus"], parameters)


def overridden(kept: Kept, stack: Stack | None, architecture: str | None) -> Mapping[str, str]:
    """The parameters to deploy with: those kept in the file, else those of the stack. Raises DeployError."""
    if stack is not None and stack.status == "ROLLBACK_COMPLETE":
        raise DeployError(
            f"the stack {kept.stack_name} was never created: its first deployment failed. Look at its events, then "
            f"delete it with `sam delete --stack-name {kept.stack_name}` and deploy again"
        )
    if kept.parameters:
        saved = kept.parameters.get("Architecture")
        if architecture and saved and saved != architecture:
            raise DeployError(f"samconfig.toml keeps Architecture={saved}: to change it, change it there")
        return kept.parameters
    parameters = dict(stack.parameters) if stack is not None else {}
    if stack is not None and architecture:
        parameters["Architecture"] = architecture
    return parameters


def build(architecture: str) -> Path:
    """Build for Lambda; the template that comes of it can be deployed for no other architecture."""
    command = ["sam", "build", "--parameter-overrides", f"Architecture={architecture}", "--build-dir", str(BUILT)]
    done = subprocess.run(command, env={**os.environ, "ECR_STEWARD_ARCHITECTURE": architecture}, check=False)  # noqa: S603
    if done.returncode:
        raise DeployError("sam build failed")
    subprocess.run([sys.executable, PIN, BUILT / "template.yaml", architecture], check=True)  # noqa: S603
    return BUILT / "template.yaml"


if __name__ == "__main__":
    main()
