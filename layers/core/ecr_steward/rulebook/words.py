"""The words of the rulebook: small texts with a grammar of their own, each refused with what was expected.

Limits are those of the API references of ECR, IAM (``roleNameType``), Secrets Manager (``Name`` of CreateSecret) and
Inspector (``VulnerabilityId``).
"""

import re
from datetime import date, datetime
from typing import Annotated, Any, Final

import re2  # type: ignore[import-untyped]
from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from ecr_steward.domain.names import RegistryRef, host_of, registry_at
from ecr_steward.domain.tag_rules import fill
from ecr_steward.errors import InvalidNameError
from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.nearest import nearest_word
from ecr_steward.rulebook.versions import SCHEMES, VERSION_READERS

_TEMPLATE_PARTS = tuple(part for scheme in SCHEMES.values() for part in scheme.parts)
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_PATTERN_BYTES = 1 << 20
"""What RE2 may compile a pattern to. It bounds a match, too, which at worst asks each instruction about each letter."""

ACCOUNT_ID: Final = r"[0-9]{12}"
TAG_FILTER: Final = r"[0-9a-zA-Z._*-]{1,128}"
MOST_STARS: Final = 2  # in an exception of mutability: https://github.com/hashicorp/terraform-provider-aws/pull/43642
REGEX_CHARACTERS: Final = 1_000
_EXCEPTION = rf"(?!([^*]*\*){{{MOST_STARS + 1}}}){TAG_FILTER}"
_REPOSITORY_GLOB = r"[a-z0-9._/*-]{1,256}"
_TAG_WORD = r"[0-9a-zA-Z_.*-]{1,300}"
_REGION_GLOB = r"[a-z0-9*-]{1,40}"
_ORGANIZATION = r"o-[a-z0-9]{10,32}"
_UNIT = rf"{_ORGANIZATION}/r-[a-z0-9]{{4,32}}(/ou-[a-z0-9]{{4,32}}-[a-z0-9]{{8,32}})*/\*?"
_OUTSIDER = rf"{ACCOUNT_ID}|org:{_ORGANIZATION}"
_PRINCIPAL = rf"account|{_OUTSIDER}|ou:{_UNIT}|({ACCOUNT_ID}:)?(role|user)/[A-Za-z0-9+=,.@_/*-]{{1,512}}"
_SERVICE = rf"(lambda|codebuild)(:{ACCOUNT_ID})?"
_DAYS = r"([1-9][0-9]{0,3})([dw])"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_FINDING = r"[^\s*]{1,128}"
_PULL_ONLY = "pull-only"
_ROLE_PREFIX = "ecr-steward-pull-only"
_ROLE = rf"{_PULL_ONLY}|{_ROLE_PREFIX}[A-Za-z0-9+=,.@_-]{{0,43}}"
_SINK_PREFIX = "ecr-steward/"
_SECRET = rf"{_SINK_PREFIX}[A-Za-z0-9/_+=.@-]{{1,500}}"
_RESOURCE_TAG_KEY = r"(?!aws:|ecr-steward:)[A-Za-z0-9 _.:/=+@-]{1,128}"


_FINDING_FORMS: Final = {
    "CVE-": (r"CVE-[0-9]{4}-[0-9]{4,}", "CVE-YEAR-NUMBER with four digits or more, such as CVE-2026-12345"),
    "GHSA-": (r"GHSA(-[23456789cfghjmpqrvwx]{4}){3}", "three groups of four, such as GHSA-jfh8-c2jp-5v3q"),
}
"""Names whose form is known, by how they begin: those of the CVE program and of GitHub's advisory database."""
_OWN_ROLE = "RefreshCredentialsFunctionRole"
"""In the name that CloudFormation gives the function's role: ``<stack>-<logical id>-<random>``."""


_PRINCIPAL_FORMS = ("account", "an account id of twelve digits", "org:o-...", "ou:o-.../r-.../ou-.../*")
_SERVICES = ("lambda", "codebuild")


class WrongWordError(ValueError):
    """A word that the rulebook does not know. Says what was expected, and which word was most likely meant."""

    def __init__(
        self,
        message: str,
        expected: str | None = None,
        nearest: str | None = None,
        *,
        code: Code,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.expected = expected
        self.nearest = nearest


def placeholders_of(template: str) -> list[str]:
    """The names in braces of an alias template."""
    return _PLACEHOLDER.findall(template)


def sample_aliases(template: str, scheme: str) -> list[str]:
    """A few image tags that a template stands for, filled from versions of a scheme."""
    return [fill(template, version) for version in SCHEMES[scheme].samples]


def compile_regex(pattern: str) -> Any:
    """Compile a user's regular expression, which then matches in linear time. Raises ValueError with RE2's reason."""
    options = re2.Options()
    options.log_errors = False  # RE2 would write to stderr
    options.max_mem = _PATTERN_BYTES
    try:
        return re2.compile(pattern, options)
    except re2.error as cause:
        reason = cause.args[0].decode() if isinstance(cause.args[0], bytes) else str(cause.args[0])
        raise WrongWordError(f"RE2 refuses this regular expression: {reason}", code=Code.REGEX) from cause


def _check_regex(text: str) -> str:
    compile_regex(text)
    return text


def _check_account(text: str) -> str:
    if not re.fullmatch(ACCOUNT_ID, text):
        raise WrongWordError(
            f'`{text}` is not an account id: twelve digits in quotes, such as "111122223333"', code=Code.ACCOUNT_ID
        )
    return text


def _check_account_word(text: str) -> str:
    return text if text == "*" else _check_account(text)


def _check_region(text: str) -> str:
    try:
        RegistryRef("000000000000", text)
    except InvalidNameError as cause:
        raise WrongWordError(str(cause), code=Code.REGION) from cause
    return text


def _check_region_glob(text: str) -> str:
    if "*" not in text:
        return _check_region(text)
    if not re.fullmatch(_REGION_GLOB, text):
        raise WrongWordError(f"`{text}` is not a region or a pattern such as eu-*", code=Code.REGION_PATTERN)
    return text


def _check_repository_glob(text: str) -> str:
    if not re.fullmatch(_REPOSITORY_GLOB, text):
        raise WrongWordError(
            f"`{text}` can match no repository: names hold a-z, 0-9, `.`, `_`, `-` and `/`; wildcards are `*` and `**`",
            code=Code.REPOSITORY_PATTERN,
        )
    if any("**" in segment and segment != "**" for segment in text.split("/")):
        raise WrongWordError(
            f"in `{text}`, `**` must stand alone between slashes, such as team-a/**", code=Code.DOUBLE_STAR
        )
    if not all(text.split("/")):
        raise WrongWordError(
            f"`{text}` can match no repository: it has a slash at an end or two in a row", code=Code.REPOSITORY_PATTERN
        )
    return text


def _check_repository_template(text: str) -> str:
    if unknown := [part for part in _PLACEHOLDER.findall(text) if part != "name"]:
        raise WrongWordError(
            f"`{{{unknown[0]}}}` is not known here: the only placeholder is {{name}}", code=Code.REPOSITORY_PLACEHOLDER
        )
    if not re.fullmatch(r"[a-z0-9._/-]{1,256}", text.replace("{name}", "a")):
        raise WrongWordError(
            f"`{text}` is not a repository name: a-z, 0-9, `.`, `_`, `-`, `/` and {{name}}",
            code=Code.REPOSITORY_TEMPLATE,
        )
    return text


def _check_tag_word(text: str) -> str:
    if text in SCHEMES:
        return text
    if not re.fullmatch(_TAG_WORD, text):
        raise WrongWordError(
            f"`{text}` can match no image tag",
            "letters, digits, `.`, `_`, `-` and `*`, or {regex: '...'}",
            code=Code.TAG_PATTERN,
        )
    if "*" not in text and (scheme := nearest_word(text, SCHEMES)):
        raise WrongWordError(
            f"`{text}` is no scheme",
            f"a scheme, or {{regex: {text}}} for an image tag of that name",
            scheme,
            code=Code.SCHEME,
        )
    return text


def _check_tag_filter(text: str) -> str:
    if not re.fullmatch(TAG_FILTER, text):
        raise WrongWordError(
            f"`{text}` is not a filter that ECR takes: up to 128 letters, digits, `.`, `_`, `-` and `*`",
            code=Code.TAG_FILTER,
        )
    return text


def _check_exception(text: str) -> str:
    if _check_tag_filter(text).count("*") > MOST_STARS:
        raise WrongWordError(f"`{text}` is not an exception that ECR takes: at most two `*`", code=Code.TOO_MANY_STARS)
    return text


def _check_alias_template(text: str) -> str:
    for part in _PLACEHOLDER.findall(text):
        if part not in _TEMPLATE_PARTS:
            raise WrongWordError(
                f"`{{{part}}}` is no part of a version",
                "{major}, {minor} and {patch}, or {year} and {month}",
                nearest_word(part, _TEMPLATE_PARTS),
                code=Code.ALIAS_PLACEHOLDER,
            )
    for alias in (alias for scheme in VERSION_READERS for alias in sample_aliases(text, scheme) if "{" not in alias):
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,299}", alias):
            raise WrongWordError(f"`{text}` makes `{alias}`, which is not an image tag", code=Code.ALIAS_NO_TAG)
    return text


def _check_principal(text: str) -> str:
    if re.fullmatch(_SERVICE, text):
        raise WrongWordError(f"`{text}` only pulls", "it under `pull`", code=Code.PRINCIPAL)
    return _check_word(text, _PRINCIPAL, (*_PRINCIPAL_FORMS, "role/NAME", "user/NAME"))


def _check_puller(text: str) -> str:
    return _check_word(text, f"{_PRINCIPAL}|{_SERVICE}", (*_PRINCIPAL_FORMS, "role/NAME", "user/NAME", *_SERVICES))


def _check_inside(text: str) -> str:
    return _check_word(text, _OUTSIDER, ("an account id of twelve digits", "org:o-..."))


def _check_word(text: str, pattern: str, forms: tuple[str, ...]) -> str:
    if re.fullmatch(pattern, text):
        return text
    if text in {"*", "public"}:
        raise WrongWordError(
            "a repository is not opened to everybody by a short word; `statements` can say it", code=Code.PUBLIC_ACCESS
        )
    raise WrongWordError(
        f"`{text}` is nobody",
        f"{', '.join(forms[:-1])} or {forms[-1]}",
        nearest_word(text, [form for form in forms if form.isalpha()]),
        code=Code.PRINCIPAL,
    )


def _days(value: object) -> object:
    if isinstance(value, str) and (found := re.fullmatch(_DAYS, value)):
        return int(found[1]) * (7 if found[2] == "w" else 1)
    raise WrongWordError(f"`{value}` is not a duration: write days or weeks, such as 14d or 2w", code=Code.DURATION)


def _check_resource_tag_key(text: str) -> str:
    if not re.fullmatch(_RESOURCE_TAG_KEY, text):
        raise WrongWordError(
            f"`{text}` is not the key of a resource tag: up to 128 letters, digits and _.:/=+@-, "
            "not starting with aws: or ecr-steward:",
            code=Code.RESOURCE_TAG_KEY,
        )
    return text


def _check_finding(text: str) -> str:
    """Refuse what no scanner names so. What scanners name at all is nowhere listed: vendors have forms of their own."""
    if not re.fullmatch(_FINDING, text):
        raise WrongWordError(
            f"`{text}` can match no finding",
            "one finding as the scanner names it, without spaces and wildcards",
            code=Code.FINDING,
        )
    prefix = next((prefix for prefix in _FINDING_FORMS if text.upper().startswith(prefix)), None)
    if prefix is None:
        return text
    form, expected = _FINDING_FORMS[prefix]
    if re.fullmatch(form, text):
        return text
    number = text[len(prefix) :].lower()
    meant = f"{prefix}{number}" if re.fullmatch(form, f"{prefix}{number}") else None
    raise WrongWordError(f"`{text}` can match no finding", expected, meant, code=Code.FINDING)


def _day(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):  # some YAML parsers know dates
        return value
    if not isinstance(value, str) or not re.fullmatch(_DATE, value):
        raise WrongWordError(
            f"`{value}` is not a date: write year, month and day, such as 2027-01-31", code=Code.DATE_FORM
        )
    try:
        return date.fromisoformat(value)
    except ValueError as cause:
        raise WrongWordError(f"`{value}` is not in the calendar ({cause})", code=Code.DATE_NOT_IN_CALENDAR) from cause


def _check_text(text: str) -> str:
    if not any(map(str.isalnum, text)):
        raise WrongWordError(
            f"`{text}` says nothing: people read this when a finding is tolerated", code=Code.SAYS_NOTHING
        )
    return text


def _check_role(text: str) -> str:
    if text.startswith("arn:"):
        raise WrongWordError(
            f"`{text}` is an ARN, and the role is looked for in the account of each registry",
            f"the name of the role: {_PULL_ONLY}, or one that starts with {_ROLE_PREFIX}",
            code=Code.ROLE_ARN,
        )
    if _OWN_ROLE.casefold() in text.casefold():
        raise WrongWordError(
            f"`{text}` is the role of the function itself: a token speaks as whoever fetched it, "
            "and this one may do more than pull",
            "a role that may do nothing but pull",
            _PULL_ONLY,
            code=Code.OWN_ROLE,
        )
    if re.fullmatch(_ROLE, text):
        return text
    if not text.startswith(_ROLE_PREFIX):
        prefixed = text.replace(_PULL_ONLY, _ROLE_PREFIX, 1)
        is_longer = text.startswith(f"{_PULL_ONLY}-") and re.fullmatch(_ROLE, prefixed)
        raise WrongWordError(
            f"`{text}` is a role that the steward may not become",
            f"{_PULL_ONLY}, or a name that starts with {_ROLE_PREFIX}, "
            "as the template's parameter PullOnlyRoleName says",
            prefixed if is_longer else nearest_word(text, (_PULL_ONLY,)),
            code=Code.ROLE_NAME,
        )
    raise WrongWordError(
        f"`{text}` is not the name of a role: up to 64 letters, digits and +=,.@_-, and no path", code=Code.ROLE_NAME
    )


def _check_secret(text: str) -> str:
    if re.fullmatch(_SECRET, text):
        return text
    if text.startswith("arn:"):
        raise WrongWordError(
            f"`{text}` is an ARN", f"the name of the secret, which starts with {_SINK_PREFIX}", code=Code.SECRET_ARN
        )
    if not text.startswith(_SINK_PREFIX):
        prefixed = f"{_SINK_PREFIX}{text.lstrip('/')}"
        raise WrongWordError(
            f"`{text}` is a secret that the steward may not write",
            f"a name that starts with {_SINK_PREFIX}, as the template's parameter SecretPrefix says",
            prefixed if re.fullmatch(_SECRET, prefixed) else None,
            code=Code.SECRET_NAME,
        )
    raise WrongWordError(
        f"`{text}` is not the name of a secret: up to 512 letters, digits and /_+=.@-, after the prefix",
        code=Code.SECRET_NAME,
    )


def _check_registry_host(text: str) -> str:
    try:
        host = host_of(text)
        registry = registry_at(host)
    except InvalidNameError as error:
        raise WrongWordError(str(error), code=Code.REGISTRY_HOST) from error
    if registry is not None:
        raise WrongWordError(
            f'`{text}` is ECR: say `account: "{registry.account}"` and `region: {registry.region}` instead',
            code=Code.REGISTRY_HOST,
        )
    return host


def _schema(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^({pattern})$"})


RegistryHost = Annotated[str, AfterValidator(_check_registry_host), _schema(r"[A-Za-z0-9.:\[\]-]{1,255}")]
AccountWord = Annotated[str, AfterValidator(_check_account_word), _schema(rf"\*|{ACCOUNT_ID}")]
AccountId = Annotated[str, AfterValidator(_check_account), _schema(ACCOUNT_ID)]
RegionWord = Annotated[str, AfterValidator(_check_region), _schema(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}")]
RegionGlob = Annotated[str, AfterValidator(_check_region_glob), _schema(_REGION_GLOB)]
RepositoryGlob = Annotated[str, AfterValidator(_check_repository_glob), _schema(_REPOSITORY_GLOB)]
RepositoryTemplate = Annotated[str, AfterValidator(_check_repository_template), _schema(r"[a-z0-9._/{}-]{1,256}")]
TagWord = Annotated[str, AfterValidator(_check_tag_word), _schema(_TAG_WORD)]
TagFilter = Annotated[str, AfterValidator(_check_tag_filter), _schema(TAG_FILTER)]
ExceptionFilter = Annotated[str, AfterValidator(_check_exception), _schema(_EXCEPTION)]
Regex = Annotated[str, AfterValidator(_check_regex), Field(min_length=1, max_length=REGEX_CHARACTERS)]
AliasTemplate = Annotated[str, AfterValidator(_check_alias_template), _schema(r"[A-Za-z0-9._{}-]{1,300}")]
PrincipalWord = Annotated[str, AfterValidator(_check_principal), _schema(_PRINCIPAL)]
PullerWord = Annotated[str, AfterValidator(_check_puller), _schema(f"{_PRINCIPAL}|{_SERVICE}")]
InsideWord = Annotated[str, AfterValidator(_check_inside), _schema(_OUTSIDER)]
Days = Annotated[int, BeforeValidator(_days), PlainSerializer(lambda days: f"{days}d", str), _schema(_DAYS)]
ResourceTagKey = Annotated[str, AfterValidator(_check_resource_tag_key)]
ResourceTagValue = Annotated[str, Field(max_length=256)]
FindingName = Annotated[str, AfterValidator(_check_finding), _schema(_FINDING)]
Day = Annotated[
    date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date", "pattern": f"^{_DATE}$"})
]
Text = Annotated[
    str,
    Field(max_length=500),
    AfterValidator(_check_text),
    WithJsonSchema({"type": "string", "pattern": "[^\\s]", "maxLength": 500}),
]
RoleName = Annotated[str, AfterValidator(_check_role), _schema(_ROLE)]
SecretName = Annotated[str, AfterValidator(_check_secret), _schema(_SECRET)]
