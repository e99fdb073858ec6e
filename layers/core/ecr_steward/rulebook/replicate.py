"""The key ``replicate``: copies to other registries."""

from typing import Literal, Self

from pydantic import Field, StrictBool, model_validator

from ecr_steward.rulebook import words
from ecr_steward.rulebook.base import RulebookModel
from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.image_tags import TagPattern


class Destination(RulebookModel):
    """Where images are copied to; what is not named is as at the source."""

    account: words.AccountId | None = Field(
        default=None,
        description="Another account, by its id in quotes. The template's parameter SpokeAccounts must name it.",
        examples=["222233334444"],
    )
    region: words.RegionWord | None = Field(default=None, description="Another region.", examples=["eu-west-1"])
    repository: words.RepositoryTemplate | None = Field(
        default=None, description="Another name; `{name}` is the source's.", examples=["release/{name}"]
    )
    registry: words.RegistryHost | None = Field(
        default=None,
        description="A registry that is not ECR, by its host, and its port where that is not 443. The template's "
        "parameter OtherRegistries must name it.",
        examples=["ghcr.io"],
    )
    login: words.SecretName | None = Field(
        default=None,
        description="The secret that holds the login to `registry`, as Docker writes it into its config.json; no key: "
        "it is asked for none.",
        examples=["ecr-steward/ghcr"],
    )

    @model_validator(mode="after")
    def _leads_elsewhere(self) -> Self:
        if self.registry is not None:
            if named := [key for key in ("account", "region") if getattr(self, key) is not None]:
                raise words.WrongWordError(
                    f"`{named[0]}` is one of ECR's, and `registry` is another registry: a destination has either",
                    code=Code.DESTINATION_IS_BOTH,
                )
            return self
        if self.login is not None:
            raise words.WrongWordError(
                "`login` is for a `registry` that is not ECR: with ECR the role of the function is the login",
                code=Code.DESTINATION_IS_BOTH,
            )
        if self.account is None and self.region is None and self.repository in {None, "{name}"}:
            raise words.WrongWordError(
                "a destination needs another `account`, `region` or `repository` than the source",
                code=Code.DESTINATION_IS_SOURCE,
            )
        return self


class Images(RulebookModel):
    """Which images are copied."""

    tags: tuple[TagPattern, ...] = Field(
        min_length=1, description="Only images with one of these image tags.", examples=[["semver"]]
    )


class Remove(RulebookModel):
    """What has gone at the source goes at the destination, too."""

    after: words.Days = Field(
        description="How long after a sweep has first missed an image tag at the source.", examples=["7d"]
    )


class Replicate(RulebookModel):
    """Copies that the steward makes and verifies."""

    to: tuple[Destination, ...] = Field(min_length=1, description="Where to.", examples=[[{"region": "eu-west-1"}]])
    images: Images | None = Field(
        default=None,
        description="Which images; none means all whose image tags break no rule.",
        examples=[{"tags": ["semver"]}],
    )
    when: tuple[Literal["scan_passed"], ...] = Field(
        default=(),
        min_length=1,
        description="What an image has to be before it is copied; no key: it is copied at once. `scan_passed`: the "
        "verdict of `scan` on it is a pass. Until its scan has ended there is no verdict, so an image that nobody "
        "scans is not copied.",
        examples=[["scan_passed"]],
    )
    referrers: StrictBool = Field(
        default=True, description="Whether signatures, SBOMs and attestations travel along.", examples=[True]
    )
    withdraw: Literal["on_fail"] | None = Field(
        default=None,
        description="`on_fail`: when the verdict on an image becomes a fail after it was copied, its image tags are "
        "removed from the destinations of this entry, and with the last one ECR deletes it there; no key: they stay. "
        "Needs `when: [scan_passed]`. Protected tags always stay, and `wait` withdraws nothing.",
        examples=["on_fail"],
    )
    remove: Remove | None = Field(
        default=None,
        description="Whether image tags that are copied by this entry, and that the source has no longer, are removed "
        "from the destination, which then belongs to these copies alone; no key: they stay. Protected tags always do.",
        examples=[{"after": "7d"}],
    )

    @model_validator(mode="after")
    def _takes_away_from_ecr_alone(self) -> Self:
        other = next((to.registry for to in self.to if to.registry), None)
        for key in ("remove", "withdraw"):
            if other and getattr(self, key) is not None:
                raise words.WrongWordError(
                    f"`{key}` takes away from ECR alone, and this entry copies to {other}: give that an entry of its "
                    "own",
                    code=Code.REMOVES_ELSEWHERE,
                )
        return self

    @model_validator(mode="after")
    def _waits_for_what_withdraws(self) -> Self:
        if self.withdraw is not None and "scan_passed" not in self.when:
            raise words.WrongWordError(
                "`withdraw: on_fail` is for images that wait for their verdict: without `when: [scan_passed]` the next "
                "copy puts the image back",
                code=Code.WITHDRAWS_WHAT_DOES_NOT_WAIT,
            )
        return self
