"""Push → allowed image tags, moving aliases, quarantine. Wired in template.yaml as EnforceImageTagsFunction."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from ecr_steward import bootstrap
from ecr_steward.domain.outcome import Outcome
from ecr_steward.entry import Report, answer, deadline_of
from ecr_steward.events.envelope import parse
from ecr_steward.events.image_action import ImageActionEvent
from ecr_steward.events.self_check import is_self_check


def lambda_handler(event: Any, context: LambdaContext) -> Report:
    """Answer one ECR Image Action, ECR Referrer Action or self-check."""

    def job() -> Outcome | tuple[()]:
        if is_self_check(event):
            return ()
        push = parse(ImageActionEvent, event).to_push()
        return bootstrap.app(deadline_of(context)).enforce_image_tags(push)

    return answer(event, context, job)
