"""Which images of a repository are in use, as far as those say who run them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ecr_steward.domain.contents import Contents
from ecr_steward.domain.names import Digest, ImageTag, RepositoryRef
from ecr_steward.domain.retention_rules import Use


@dataclass(frozen=True)
class UsedImage:
    """An image that somebody runs, or would run at once: by digest, or by the image tag that they have written down."""

    repository: RepositoryRef
    by: str
    """Such as ``the task definition api:7``."""
    digest: Digest | None = None
    image_tag: ImageTag | None = None


@dataclass(frozen=True)
class Usage:
    """What is known about the images of one repository. A source that was not asked knows of no use."""

    used: Mapping[Use, tuple[UsedImage, ...]] = field(default_factory=dict)
    """By ECS and Lambda, which know all that they run."""
    counts: Mapping[Digest, int] = field(default_factory=dict)
    """How many containers run an image, says Inspector; of images that it does not cover it says nothing."""
    unread: Mapping[Use, str] = field(default_factory=dict)
    """Why a source could not be read."""

    def user_of(self, digest: Digest, contents: Contents, sources: Iterable[Use]) -> str | None:
        """Who uses an image, itself, by a tag of it, or by what it lists."""
        family = contents.family(digest)
        tags = {tag for member in family for tag in contents.images.tags_of(member)}
        for source in sorted(sources):
            for one in self.used.get(source, ()):
                if one.digest in family or one.image_tag in tags:
                    return one.by
            if source is Use.INSPECTOR and (count := sum(self.counts.get(member, 0) for member in family)):
                return f"{count} containers that Inspector counts"
        return None

    def user_of_tag(
        self, image_tag: ImageTag, holder: Digest, contents: Contents, sources: Iterable[Use]
    ) -> str | None:
        """Who has written down exactly this image tag. Whom Inspector counts may have: it does not say."""
        everywhere = (one for source in sorted(sources) for one in self.used.get(source, ()))
        named = next((one.by for one in everywhere if one.image_tag == image_tag), None)
        return named or self.user_of(holder, contents, {Use.INSPECTOR} & set(sources))

    def doubt_about(self, digest: Digest, contents: Contents, sources: Iterable[Use]) -> str | None:
        """Why it is not known whether an image is in use that nobody is known to use."""
        for source in sorted(sources):
            if source in self.unread:
                return self.unread[source]
            if source is Use.INSPECTOR and not contents.runnable(digest) <= self.counts.keys():
                return "Inspector does not cover it"
        return None


NOT_ASKED = Usage()
