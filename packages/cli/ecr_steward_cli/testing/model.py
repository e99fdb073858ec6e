"""A file of cases as people write it: what is given, and what the rulebook is expected to make of it."""

from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import Discriminator, Field, StrictBool, Tag, model_validator

from ecr_steward.domain.plan import Step
from ecr_steward.rulebook import words
from ecr_steward.rulebook.base import RulebookModel
from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.settings import Mutability
from ecr_steward.rulebook.words import WrongWordError

HOME: Final = ("111122223333", "us-east-1")
NONE: Final = "none"


def _step_classes(union: Any) -> tuple[type, ...]:
    parts = [_step_classes(part) for part in get_args(getattr(union, "__value__", union))]
    return tuple(each for part in parts for each in part) if parts else (union,)


def snake_case(name: str) -> str:
    """``AddImageTag`` as ``add_image_tag``."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).removeprefix("_")


STEP_WORDS: Final = tuple(sorted({snake_case(each.__name__) for each in _step_classes(Step)}))
StepWord = Literal[STEP_WORDS]  # type: ignore[valid-type]  # made of the steps that there are


class GivenFinding(RulebookModel):
    """A finding of a scan."""

    name: words.FindingName = Field(description="As the scanner names it.", examples=["CVE-2026-12345"])
    severity: Literal["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNDEFINED", "UNTRIAGED"] = Field(
        description="How bad it is.", examples=["HIGH"]
    )
    suppressed: StrictBool = Field(
        default=False, description="Whether a suppression rule of Amazon Inspector hides it.", examples=[True]
    )


class GivenScan(RulebookModel):
    """The latest scan of an image."""

    status: Literal[
        "complete", "pending", "missing", "unscannable", "failed", "expired", "limit_exceeded", "unknown"
    ] = Field(default="complete", description="What became of it.", examples=["complete"])
    findings: tuple[GivenFinding, ...] = Field(
        default=(), description="What was found.", examples=[[{"name": "CVE-2026-12345", "severity": "HIGH"}]]
    )


class GivenImage(RulebookModel):
    """An image of the repository."""

    tags: tuple[str, ...] = Field(default=(), description="Its image tags.", examples=[["1.4.2", "latest"]])
    digest: Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")] | None = Field(
        default=None, description="Its digest, where it matters.", examples=["sha256:" + "ab" * 32]
    )
    pushed: words.Days | None = Field(
        default=None, description="How long ago it was pushed; none means just now.", examples=["20d"]
    )
    pulled: words.Days | None = Field(
        default=None, description="How long ago it was last pulled; none means never.", examples=["3d"]
    )
    in_use: tuple[Literal["ecs", "lambda", "inspector"], ...] = Field(
        default=(),
        description="What runs it: a task definition of ECS, a Lambda function, or containers that Inspector counts.",
        examples=[["ecs"]],
    )
    labels: dict[str, str] = Field(
        default={},
        description="Labels of its config.",
        examples=[{"org.opencontainers.image.source": "https://git.example.com/team-a/api"}],
    )
    annotations: dict[str, str] = Field(
        default={}, description="Annotations of its manifest.", examples=[{"org.opencontainers.image.version": "1.4.2"}]
    )
    referrers: tuple[str, ...] = Field(
        default=(),
        description="Artifact types of what refers to it, such as signatures and SBOMs.",
        examples=[["application/vnd.dev.cosign.artifact.sig.v1+json"]],
    )
    scan: GivenScan | None = Field(
        default=None, description="Its scan; none means that nobody has scanned it.", examples=[{"findings": []}]
    )


class GivenSettings(RulebookModel):
    """The settings of the repository; what is not said is as ECR creates repositories."""

    mutability: Mutability | None = Field(
        default=None, description="Which image tags may move.", examples=[{"immutable": True}]
    )
    scanning: Literal["on_push", "manual"] | None = Field(
        default=None, description="When ECR's basic scan runs.", examples=["manual"]
    )
    policy: dict[str, Any] | None = Field(
        default=None,
        description="The repository policy, as ECR has it.",
        examples=[{"Version": "2012-10-17", "Statement": []}],
    )
    lifecycle: dict[str, Any] | None = Field(
        default=None, description="The lifecycle policy, as ECR has it.", examples=[{"rules": []}]
    )


class Given(RulebookModel):
    """The facts."""

    repository: str | None = Field(
        default=None, description="Its name; an event can say it instead.", examples=["team-a/api"]
    )
    account: words.AccountId = Field(default=HOME[0], description="Of the registry.", examples=["111122223333"])
    region: words.RegionWord = Field(default=HOME[1], description="Of the registry.", examples=["us-east-1"])
    resource_tags: dict[str, str] = Field(
        default={}, description="AWS resource tags of the repository.", examples=[{"tier": "prod"}]
    )
    images: tuple[GivenImage, ...] = Field(
        default=(), description="What it holds.", examples=[[{"tags": ["1.4.2", "latest"]}]]
    )
    settings: Annotated[
        Annotated[Literal["as_ruled"], Tag("word")] | Annotated[GivenSettings, Tag("settings")],
        Discriminator(lambda value: "word" if isinstance(value, str) else "settings"),
    ] = Field(
        default_factory=GivenSettings,
        description="Its settings, or `as_ruled`: those that its rules want, so that nothing of them is planned.",
        examples=[{"mutability": {"immutable": True}}, "as_ruled"],
    )
    today: words.Day | None = Field(
        default=None, description="The day of the case, in UTC; none means today.", examples=["2026-11-26"]
    )


class ExpectedStep(RulebookModel):
    """A step of the plan: it fits when all that is said here fits."""

    step: StepWord = Field(description="Its kind.", examples=["remove_image_tag"])
    image_tag: str | None = Field(default=None, description="The image tag it is about.", examples=["latest"])
    rule: str | None = Field(default=None, description="The rule that asks for it.", examples=["services"])
    says: str | None = Field(
        default=None, description="A text that its line in a plan has.", examples=["scan on push on"]
    )
    because: str | None = Field(default=None, description="A text that its reason has.", examples=["is denied"])


class Expect(RulebookModel):
    """What the rulebook makes of the facts. Whatever is not said here may be as it likes."""

    rule: str | None = Field(
        default=None,
        description="The first rule that covers the repository; `none` where no rule does.",
        examples=["services", NONE],
    )
    rules: tuple[str, ...] | None = Field(
        default=None, description="All rules that cover the repository, in order.", examples=[["services", "baseline"]]
    )
    mode: Literal["observe", "enforce"] | None = Field(
        default=None, description="The mode of everything that is planned.", examples=["enforce"]
    )
    nothing: StrictBool | None = Field(
        default=None, description="`true`: no step and no violation at all.", examples=[True]
    )
    steps: tuple[ExpectedStep, ...] | None = Field(
        default=None,
        description="Exactly these steps, in any order; an empty list means none. Copies are no part of them.",
        examples=[[{"step": "remove_image_tag", "image_tag": "latest"}]],
    )
    includes: tuple[ExpectedStep, ...] = Field(
        default=(), description="These steps, and perhaps others.", examples=[[{"step": "put_scan_on_push"}]]
    )
    violations: tuple[str, ...] | None = Field(
        default=None,
        description="Exactly these violations: a text that each one's reason has.",
        examples=[["`latest` is denied"]],
    )
    copies: tuple[str, ...] | None = Field(
        default=None,
        description="Exactly the repositories that something is copied to, as ACCOUNT/REGION/NAME.",
        examples=[["111122223333/eu-west-1/team-a/api"]],
    )
    verdict: Literal["pass", "fail", "wait", "none"] | None = Field(
        default=None,
        description="The gravest verdict on its tagged images; `none` where no rule judges them.",
        examples=["fail"],
    )


class Case(RulebookModel):
    """One case."""

    name: str = Field(
        min_length=1, max_length=200, description="What it shows, as a sentence.", examples=["latest is taken away"]
    )
    given: Given = Field(
        default_factory=Given,
        description="The repository as it is: what is in it and how it is set.",
        examples=[{"repository": "team-a/api", "images": [{"tags": ["1.0.0"]}]}],
    )
    event: str | dict[str, Any] | None = Field(
        default=None,
        description="An event of ECR or CloudTrail, or the path of its JSON file beside this one: it says the "
        "repository, and a push also an image.",
        examples=["push.json"],
    )
    expect: Expect = Field(description="What the rulebook makes of it.", examples=[{"rule": "services"}])

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.expect.model_fields_set:
            raise WrongWordError(
                "this case expects nothing, so it could never fail",
                "one of rule, nothing, steps, includes, violations, copies, verdict",
                code=Code.CASE_EXPECTS_NOTHING,
            )
        if self.given.repository is None and self.event is None:
            raise WrongWordError(
                "this case is about no repository", "`given: {repository: ...}`, or an `event`", code=Code.MISSING_KEY
            )
        return self


class CaseFile(RulebookModel):
    """Cases for a rulebook."""

    version: Literal[1] = Field(description="Of the grammar of cases.", examples=[1])
    rulebook: str | None = Field(
        default=None,
        description="The rulebook, from here; none means the one beside this file, of the same name without `-test`.",
        examples=["ecr-steward.yaml"],
    )
    cases: tuple[Case, ...] = Field(
        description="The cases.",
        examples=[[{"name": "a", "given": {"repository": "team-a/api"}, "expect": {"rule": "a"}}]],
    )
