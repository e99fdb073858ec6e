"""The ECR repository that a copy goes to, where it is not there yet: planned, and created before anything is copied."""

from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.ecr_registry import EcrRegistry
from ecr_steward.adapters.ecr_registry_settings import EcrRegistrySettings
from ecr_steward.domain.by_hand import BY_HAND
from ecr_steward.domain.governance import plan_new_repository
from ecr_steward.domain.names import RepositoryRef
from ecr_steward.domain.plan import CreateRepository, Plan
from ecr_steward.domain.repositories import Part
from ecr_steward.domain.rules import UNGOVERNED, Rules
from ecr_steward.errors import AccessDeniedError, RepositoryNotFoundError, StewardError, gravest
from ecr_steward.rulebook.compile import compile_rulebook
from ecr_steward.usecases.apply import apply_plan
from ecr_steward.usecases.governing import governing_new, tags_to_match
from ecr_steward_cli.planning.document import step_document
from ecr_steward_cli.rulebook_commands import valid_rulebook

USUAL_RULEBOOK: Final = Path("ecr-steward.yaml")
_WHY: Final = "an image is copied there"
_ON_PUSH: Final = "CREATE_ON_PUSH"
_ROOT: Final = "ROOT"


@dataclass(frozen=True)
class Creation:
    """A repository that is not there, and what it is to be."""

    repository: RepositoryRef
    plan: Plan
    """Empty where ECR creates the repository by itself, with the first push."""
    rulebook: Path | None = None
    """That was read."""
    template: str | None = None
    """The prefix of the creation template by which ECR creates it."""
    remarks: tuple[str, ...] = ()

    def told(self, *, is_done: bool) -> list[str]:
        """What people read of it, a line each."""
        if self.template is not None:
            verb = "creates" if is_done else "would create"
            lines = [f"ECR {verb} {self.repository} with the first push, by its creation template for {self.template}"]
        else:
            lines = [f"{'created' if is_done else 'would create'} {self.repository}{self._as()}"]
            short = [str(step).replace(str(self.repository), self.repository.name) for step in self.plan.steps[1:]]
            lines += [
                f"  {what}, as the rule {step.rule} says" for what, step in zip(short, self.plan.steps[1:], strict=True)
            ]
        remarks = (*self.remarks, *self.plan.remarks, *(each.why for each in self.plan.violations))
        return [*lines, *(f"  note: {remark}" for remark in remarks)]

    def document(self, *, is_done: bool) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "repository": str(self.repository),
            "created": is_done and self.template is None,
            "rulebook": str(self.rulebook) if self.rulebook else None,
            "creation_template": self.template,
            "steps": [step_document(step) for step in self.plan.steps],
        }

    def _as(self) -> str:
        create = self.plan.steps[0]
        assert isinstance(create, CreateRepository)  # noqa: S101  plan_new_repository begins with it
        said = [f"image tags are {create.mutability}"] if create.mutability else []
        said += [f"images are encrypted with {create.encryption}"] if create.encryption else []
        whose = f"as {self.rulebook} says" if self.rulebook and (said or self.plan.steps[1:]) else "with ECR's defaults"
        return f" {whose}{': ' if said else ''}{', '.join(said)}"


@dataclass(frozen=True)
class Rulebook:
    """A rulebook that counts, and is read only where a repository is to be created."""

    path: Path

    @cached_property
    def rules(self) -> Rules:
        """Raises SystemExit where it is no rulebook, and shows why."""
        return compile_rulebook(valid_rulebook(self.path)[1])


def rulebook_for(named: Path | None) -> Rulebook | None:
    """The rulebook that counts: the one that was named, or the usual one, if there is one here.

    Raises SystemExit where the named one is none, and shows why.
    """
    if named is None:
        return Rulebook(USUAL_RULEBOOK) if USUAL_RULEBOOK.is_file() else None
    rulebook = Rulebook(named)
    _ = rulebook.rules
    return rulebook


def is_there(repository: RepositoryRef, clients: AwsClients) -> bool:
    """Whether there is such a repository. Needs ecr:DescribeRepositories."""
    try:
        EcrRegistry(clients).repository(repository, {Part.DESCRIPTION})
    except RepositoryNotFoundError:
        return False
    return True


def plan_creation(
    to: RepositoryRef, source: RepositoryRef | None, rulebook: Rulebook | None, clients: AwsClients
) -> Creation:
    """Plan a repository with the settings that it will be governed by, whatever the mode of the rules.

    ``observe`` keeps the steward from changing anything by itself; here a person asks for it. ``source`` is where the
    images come from, if that is ECR: a replica that no rule covers has the settings of its source. Where no rule says
    anything, ECR creates it by a creation template, if one is for what is pushed.

    Raises SystemExit where the rulebook is none, and shows why.
    """
    governing = UNGOVERNED
    if rulebook:
        resource_tags = partial(tags_to_match, rules=rulebook.rules, registry=EcrRegistry(clients))
        governing = governing_new(to, source, rulebook.rules, resource_tags)
    path = rulebook.path if rulebook else None
    remarks = tuple(conflict.why for conflict in governing.conflicts)
    if rulebook and not governing.settings:
        remarks += (f"{rulebook.path} says nothing of its settings",)
    if governing.settings or (template := _template(to, clients)) is None:
        plan = plan_new_repository(governing.settings, to, asked_by=BY_HAND, why=_WHY)
        return Creation(to, plan, path, remarks=remarks)
    return Creation(to, Plan(), path, template, remarks)


def create(creation: Creation, clients: AwsClients) -> bool:
    """Create the repository, without its further settings. Needs ecr:CreateRepository.

    False, and then there is nothing more to set, where somebody else has just created it: it is theirs.
    """
    if not creation.plan.steps:
        return True  # ECR will, with the first push
    first = creation.plan.steps[0]
    assert isinstance(first, CreateRepository)  # noqa: S101  plan_new_repository begins with it
    return EcrRegistry(clients).create_repository(first.repository, first.mutability, first.encryption)


def set_up(creation: Creation, clients: AwsClients) -> None:
    """Give the repository that was created its further settings.

    One that is not allowed does not keep the others from being set, and is an error that names those that are missing.
    """
    registry, errors, missing = EcrRegistry(clients), list[StewardError](), list[str]()
    for step in creation.plan.steps[1:]:
        try:
            apply_plan(Plan((step,)), registry)
        except StewardError as error:
            errors.append(error)
            missing.append(str(step))
    if not errors:
        return
    met = gravest(errors)
    met.add_note(
        f"{creation.repository} is there now, and nothing was copied to it. What is missing: {'; '.join(missing)}. Do "
        "that by hand and copy again, or delete the repository and copy again with --create"
    )
    raise met


def _template(to: RepositoryRef, clients: AwsClients) -> str | None:
    """The prefix of the creation template that a push would create it by. CreateRepository does not look at them.

    Needs ecr:DescribeRepositoryCreationTemplates; whoever may not look at them gets a repository without.
    """
    try:
        templates = list(EcrRegistrySettings(clients).creation_templates(to.registry))
    except AccessDeniedError:
        return None
    prefixes = {each.key for each in templates if _ON_PUSH in each.applied_for}
    parts = to.name.split("/")
    above = ["/".join(parts[:length]) for length in range(len(parts) - 1, 0, -1)]
    return next((prefix for prefix in (*above, _ROOT) if prefix in prefixes), None)
