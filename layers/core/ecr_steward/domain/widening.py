"""What people hear of a step that lets others in."""

from ecr_steward.domain.brake import is_public
from ecr_steward.domain.notices import AccessWidened
from ecr_steward.domain.plan import SetRepositoryPolicy, Step
from ecr_steward.domain.registries import PutCreationTemplate, PutRegistryPolicy


def access_widened(step: Step) -> AccessWidened | None:
    """The notice of a step that opens something to principals outside of its account; ``None`` for any other."""
    if not isinstance(step, SetRepositoryPolicy | PutRegistryPolicy | PutCreationTemplate) or not step.opens:
        return None
    subject = step.repository if isinstance(step, SetRepositoryPolicy) else step.registry
    return AccessWidened(step.rule, subject, str(step), tuple(map(str, sorted(step.opens))), is_public(step))
