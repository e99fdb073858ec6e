"""Reading a rulebook and the facts of registries, as ``plan`` and ``apply`` need them."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.domain.rules import Rules
from ecr_steward.rulebook.compile import compile_rulebook
from ecr_steward.rulebook.load import dump_compiled
from ecr_steward.rulebook.patterns import repository_matcher
from ecr_steward_cli.rulebook_commands import valid_rulebook

_CONFIG: Final = Config(
    retries={"mode": "adaptive", "total_max_attempts": 8}, connect_timeout=5, read_timeout=20, max_pool_connections=32
)


@dataclass(frozen=True)
class ReadRulebook:
    """A rulebook that validated."""

    rules: Rules
    compiled: str
    """As ``ecr-steward compile`` writes it, so that a saved plan carries its rules along."""
    file: str

    @property
    def digest(self) -> str:
        """Of the compiled text."""
        return sha256(self.compiled.encode()).hexdigest()


def read_rules(path: Path) -> ReadRulebook:
    """The rules of a file. Raises SystemExit where it is none, and shows why."""
    file, rulebook = valid_rulebook(path)
    compiled = dump_compiled(rulebook, path.name, file.source)
    return ReadRulebook(compile_rulebook(rulebook), compiled, str(path))


class NoCallerError(Exception):
    """AWS does not know who is calling, or where to. ``str(error)`` says what to do."""


def connect() -> AwsClients:
    """Clients as the environment says who is calling."""
    return AwsClients(config=_CONFIG)


def registries_of(clients: AwsClients, accounts: Sequence[str], regions: Sequence[str]) -> list[RegistryRef]:
    """The registries that are meant: without accounts the caller's, without regions the session's.

    Raises NoCallerError and InvalidNameError.
    """
    # botocore reads AWS_DEFAULT_REGION alone; everything else of AWS, AWS_REGION too
    default_region = os.environ.get("AWS_REGION") or clients.region
    if not regions and default_region is None:
        raise NoCallerError("no region: give --region, or set AWS_REGION")
    where = regions or [str(default_region)]
    own = accounts or [_caller(clients, where[0])]
    return [RegistryRef(account, region) for account in own for region in where]


def _caller(clients: AwsClients, region: str) -> str:
    """The account that is calling: by STS, which everybody may ask, or where there is only an ECR, by that."""
    at_once = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=10)
    try:
        sts = clients.other("sts", at_once, region)
        return str(sts.get_caller_identity()["Account"])
    except (BotoCoreError, ClientError, ResponseParserError):
        pass
    try:
        return clients.ecr(RegistryRef("000000000000", region)).describe_registry()["registryId"]
    except (BotoCoreError, ClientError, ResponseParserError) as error:
        raise NoCallerError(f"neither STS nor ECR says who is calling: {error}; give --account") from error


def wanted_by(globs: Sequence[str]) -> Callable[[RegistryRef | RepositoryRef], bool]:
    """Whether a repository is one of those that globs name. Without globs each is, and registries as a whole are."""
    matchers = [repository_matcher(glob) for glob in globs]

    def is_wanted(ref: RegistryRef | RepositoryRef) -> bool:
        if isinstance(ref, RegistryRef):
            return not matchers
        return not matchers or any(matcher.matches(ref.name) for matcher in matchers)

    return is_wanted


def scope_of(rulebook: ReadRulebook, registries: Sequence[RegistryRef], globs: Sequence[str]) -> dict[str, Any]:
    """What a plan says of itself."""
    return {
        "rulebook": {"file": rulebook.file, "sha256": rulebook.digest},
        "registries": [str(registry) for registry in registries],
        "only": list(globs),
    }
