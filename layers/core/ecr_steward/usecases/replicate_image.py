"""Copy job → manifests, blobs, referrers and image tags at each destination, verified."""

from ecr_steward.domain.names import Digest, ImageRef
from ecr_steward.domain.notices import ImageReplicated
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.plan import NOTHING, AddImageTag, CopyManifest, Plan
from ecr_steward.domain.rules import Mode, Rules
from ecr_steward.errors import ImageNotFoundError, RegistryUnavailableError, RepositoryNotFoundError
from ecr_steward.ports.messages import Notices
from ecr_steward.ports.registry import ImageContent, Registry
from ecr_steward.usecases.apply import apply_plan
from ecr_steward.usecases.copier import Copier, Copy

ROUNDS = 3
"""How often a copy is planned anew while its image changes under it, before the job goes back to its queue."""


def replicate_image(
    image: ImageRef, *, rules: Rules, registry: Registry, content: ImageContent, notices: Notices
) -> tuple[Outcome, ...]:
    """Bring an image to all destinations of its rule; one outcome for each, or one that says why there is none.

    A referrer stands for its subject. After the steps are applied the facts are read and planned again: only an
    empty second plan counts as arrived.
    """
    rule = rules.rule_for(image.repository)
    if rule is None or not rule.replicate:
        return (Outcome(str(image), rule.name if rule else None, remark="no rule replicates this repository"),)
    nothing = Outcome(str(image), rule.name, rule.mode)
    copier = Copier(rules, content, registry.tagged_images, registry.repository)
    try:
        image = _subject_of(image, registry)
        copies = list(copier.copies(rule, image))
        if not copies:
            return (nothing.remarking("no image tag of the image is to be replicated"),)
        return tuple(_bring(copy, copier, registry, content, notices) for copy in copies)
    except ImageNotFoundError:
        return (nothing.remarking("the image is gone, or its subject has not been pushed"),)
    except RepositoryNotFoundError:
        return (nothing.remarking("the repository is gone"),)


def _bring(copy: Copy, copier: Copier, registry: Registry, content: ImageContent, notices: Notices) -> Outcome:
    if copy.rule.mode is Mode.OBSERVE:
        return Outcome(str(copy), copy.rule.name, Mode.OBSERVE, copier.plan(copy))
    done = NOTHING
    for _ in range(ROUNDS):
        plan = copier.plan(copy)
        if plan.is_empty:
            break
        apply_plan(plan, registry, content)
        done += plan
    else:
        raise RegistryUnavailableError(f"{copy}: still different after {ROUNDS} rounds, it changes under the copy")
    if not done.is_empty:
        notices.publish(_arrival(copy, done))
    return Outcome(str(copy), copy.rule.name, Mode.ENFORCE, done, applied=True)


def _subject_of(image: ImageRef, registry: Registry) -> ImageRef:
    """The image that a referrer refers to, through referrers of referrers. Raises ImageNotFoundError."""
    seen: set[Digest] = set()
    while (subject := registry.image(image).subject) is not None and image.digest not in seen:
        seen.add(image.digest)
        image = ImageRef(image.repository, subject)
    return image


def _arrival(copy: Copy, done: Plan) -> ImageReplicated:
    tags = (step.image_tag for step in done.steps if isinstance(step, AddImageTag))
    manifests = (step.manifest.digest for step in done.steps if isinstance(step, CopyManifest))
    return ImageReplicated(copy.rule.name, copy.image, copy.to, frozenset(tags), tuple(manifests))
