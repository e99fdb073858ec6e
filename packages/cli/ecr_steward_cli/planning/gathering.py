"""Reading a rulebook and the facts of registries, as ``plan`` and ``apply`` need them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from botocore.config import Config
from pydantic import TypeAdapter, ValidationError

from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.domain.rules import Rules
from ecr_steward.rulebook.compile import compile_rulebook
from ecr_steward.rulebook.load import dump_compiled
from ecr_steward.rulebook.patterns import repository_matcher
from ecr_steward.rulebook.words import RepositoryGlob, WrongWordError
from ecr_steward_cli.caller import Caller
from ecr_steward_cli.refusal import refuse
from ecr_steward_cli.regions import require_region
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


def connect(region: str | None = None) -> Caller:
    """The caller that the environment names, with the patience that many calls need. Raises SystemExit."""
    return Caller(region, _CONFIG)


def registries_of(caller: Caller, accounts: Sequence[str], regions: Sequence[str]) -> list[RegistryRef]:
    """The registries that are meant: without accounts the caller's, without regions the caller's.

    Raises InvalidNameError, and SystemExit where AWS has no such region or the caller is unknown.
    """
    where = [require_region(region) for region in regions] or [caller.region]
    own = accounts or [caller.account]
    return [RegistryRef(account, region) for account in own for region in where]


def wanted_by(globs: Sequence[str]) -> Callable[[RegistryRef | RepositoryRef], bool]:
    """Whether a repository is one of those that globs name. Without globs each is, and registries as a whole are.

    Raises SystemExit for a glob that a rulebook could not have, either.
    """
    matchers = [repository_matcher(_checked(glob)) for glob in globs]

    def is_wanted(ref: RegistryRef | RepositoryRef) -> bool:
        if isinstance(ref, RegistryRef):
            return not matchers
        return not matchers or any(matcher.matches(ref.name) for matcher in matchers)

    return is_wanted


def _checked(glob: str) -> str:
    try:
        return TypeAdapter(RepositoryGlob).validate_python(glob)
    except ValidationError as error:
        wrong: WrongWordError = error.errors()[0]["ctx"]["error"]
        refuse(f"--repository: {wrong}", wrong.code)


def scope_of(
    rulebook: ReadRulebook, registries: Sequence[RegistryRef], globs: Sequence[str], *, is_deep: bool = False
) -> dict[str, Any]:
    """What a plan says of itself."""
    return {
        "rulebook": {"file": rulebook.file, "sha256": rulebook.digest},
        "registries": [str(registry) for registry in registries],
        "only": list(globs),
        **({"deep": True} if is_deep else {}),
    }
