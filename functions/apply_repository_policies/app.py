"""News of a repository or registry → its settings. Wired in template.yaml as ApplyRepositoryPoliciesFunction."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from ecr_steward import bootstrap
from ecr_steward.domain.observations import RegistryChanged
from ecr_steward.domain.outcome import Outcome
from ecr_steward.entry import Report, answer, deadline_of
from ecr_steward.events.registry_hint import read_change
from ecr_steward.events.self_check import read_self_check


def lambda_handler(event: Any, context: LambdaContext) -> Report:
    """Answer one API call that CloudTrail logged, one image that arrived by whatever way, or one self-check."""

    def job() -> tuple[Outcome, ...]:
        if announced := read_self_check(event):
            return bootstrap.note_announcement(announced)
        change, app = read_change(event), bootstrap.app(deadline_of(context))
        if isinstance(change, RegistryChanged):
            return app.apply_registry_settings(change)
        return app.apply_repository_policies(change)

    return answer(event, context, job)
