"""What becomes of a repository policy: the rulebook's own statements are put right, those of others kept or removed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ecr_steward.domain.policies.outside import deleted_in, outsiders_of
from ecr_steward.domain.policies.principals import EVERYBODY, Principal, without
from ecr_steward.domain.policies.rules import OWN_SID, PolicyRules, Treatment
from ecr_steward.domain.policies.statements import (
    VERSION,
    Grant,
    Statement,
    grants_of,
    read_statements,
)
from ecr_steward.domain.policies.text import POLICY_LIMIT, compacted, is_too_long, policy_text
from ecr_steward.domain.repositories import Document, UnreadableDocument

_EARLIER_SIDS = {f"{half}{whom}" for half in ("Pull", "Push") for whom in ("", "FromOrganization", "ByRole")}
_PULL = {"ecr:batchchecklayeravailability", "ecr:batchgetimage", "ecr:getdownloadurlforlayer"}
_PUSH = _PULL | {"ecr:completelayerupload", "ecr:initiatelayerupload", "ecr:putimage", "ecr:uploadlayerpart"}
_NAMED = 3


@dataclass(frozen=True)
class PolicyChange:
    """A repository policy that is to be written, or to go."""

    why: str
    document: Document | None
    """``None``: there is to be no policy."""
    takes_away: bool = True
    """Whether somebody may do less afterwards."""


@dataclass(frozen=True)
class PolicyPlan:
    """What a rule makes of a repository policy."""

    change: PolicyChange | None = None
    refusal: str | None = None
    """Why what the rule asks for cannot be written. The policy stays as it is."""
    remarks: tuple[str, ...] = ()


@dataclass
class _Reading:
    """A document, taken apart."""

    own: list[Statement] = field(default_factory=list)
    kept: list[Statement] = field(default_factory=list)
    """Of others, as they are to be."""
    removed: list[str] = field(default_factory=list)
    """What is taken away from others, one sentence each."""
    remarks: list[str] = field(default_factory=list)


def is_own(statement: Statement) -> bool:
    """Whether the rulebook asked for a statement."""
    return statement.sid.startswith(OWN_SID)


def plan_policy(rules: PolicyRules, actual: Document | UnreadableDocument | None) -> PolicyPlan:
    """Plan a repository policy from the document that is there. Equal meaning is never written again."""
    if rules.is_empty:
        gone = PolicyChange("the rulebook wants no repository policy", None)
        return PolicyPlan(None if actual is None else gone)
    if isinstance(actual, UnreadableDocument):
        return _replaced(rules, actual)
    found = read_statements(actual or {})
    if isinstance(found, UnreadableDocument):
        return _replaced(rules, found)
    reading = _take_apart(rules, found)
    remarks = tuple(reading.remarks)
    wanted = tuple(Statement(written) for written in rules.statements)
    lacking, surplus = _difference(grants_of(wanted), grants_of(reading.own))
    if not (lacking or surplus or reading.removed):
        return PolicyPlan(remarks=remarks)
    why = _why(actual, lacking, surplus, reading.removed)
    if deleted := frozenset[Principal]().union(*map(deleted_in, reading.kept)):
        why += f"; {_names(deleted)} was deleted, and ECR takes no such principal"
    kept = [left for each in reading.kept if (left := _without(each, deleted_in(each)))]
    if not kept and not wanted:
        return PolicyPlan(PolicyChange(why, None), remarks=remarks)
    return _written(_Draft(actual or {}, kept, wanted, why, grants_of(found)), remarks)


@dataclass(frozen=True)
class _Draft:
    actual: Mapping[str, Any]
    kept: list[Statement]
    wanted: tuple[Statement, ...]
    why: str
    before: frozenset[Grant]


def _written(draft: _Draft, remarks: tuple[str, ...]) -> PolicyPlan:
    version = VERSION
    if any(each.uses_variables for each in draft.kept):
        version = draft.kept[0].version
        if version != VERSION and any(each.uses_variables for each in draft.wanted):
            return PolicyPlan(
                refusal=f"the statements that are there are of version {version}, in which a policy variable is plain "
                "text, and those of the rulebook need its meaning: change one of them by hand",
                remarks=remarks,
            )
    document: Document = {
        **{key: value for key, value in draft.actual.items() if key not in ("Version", "Statement")},
        "Version": version,
        "Statement": [dict(each.written) for each in (*draft.kept, *draft.wanted)],
    }
    if is_too_long(document):
        document = compacted(document, is_own, OWN_SID)
    if is_too_long(document):
        return PolicyPlan(refusal=_too_long(document, draft), remarks=remarks)
    after = grants_of([*draft.kept, *draft.wanted])
    return PolicyPlan(PolicyChange(draft.why, document, _takes_away(draft.before, after)), remarks=remarks)


def _too_long(document: Document, draft: _Draft) -> str:
    length = len(policy_text(document))
    advice = "grant to an organization or by a role's pattern instead of to many"
    if draft.kept:
        own = len(policy_text({"Version": VERSION, "Statement": [dict(each.written) for each in draft.wanted]}))
        advice = f"the rulebook's part has {own}: {advice}, or remove statements of others (`foreign: remove`)"
    return f"the repository policy would have {length} characters, and ECR takes {POLICY_LIMIT}; {advice}"


def _replaced(rules: PolicyRules, unreadable: UnreadableDocument) -> PolicyPlan:
    why = f"the repository policy cannot be read ({unreadable.why})"
    if rules.foreign is Treatment.KEEP:  # a Deny may be among what others have put there
        return PolicyPlan(refusal=f"{why}, and what others put there is to be kept: mend it by hand")
    document = {"Version": VERSION, "Statement": [dict(each) for each in rules.statements]}
    if is_too_long(document):
        document = dict(compacted(document, is_own, OWN_SID))
    return PolicyPlan(PolicyChange(f"{why}, so nothing of it can be kept", document))


def _take_apart(rules: PolicyRules, statements: Iterable[Statement]) -> _Reading:
    reading = _Reading()
    for each in statements:
        if is_own(each):
            reading.own.append(each)
        elif _is_earlier(each):
            reading.removed.append(f"{each.name} is the rulebook's of an earlier version")
        elif rules.foreign is Treatment.REMOVE:
            reading.removed.append(f"{each.name} is not the rulebook's")
        elif rules.outside is Treatment.REMOVE:
            _turn_outsiders_away(rules, each, reading)
        else:
            reading.kept.append(each)
    return reading


def _turn_outsiders_away(rules: PolicyRules, statement: Statement, reading: _Reading) -> None:
    outsiders = outsiders_of(statement, rules.inside)
    if outsiders.unsure:
        reading.remarks.append(
            f"{statement.name} of the repository policy stays: whether {_names(outsiders.unsure)} is outside, it "
            "does not say; an aws:PrincipalOrgID, aws:SourceAccount or aws:SourceArn would"
        )
    if outsiders.let_in:
        reading.removed.append(f"{statement.name} lets in {_names(outsiders.let_in)}, which is outside")
    if outsiders.deleted:
        reading.removed.append(f"{statement.name} names {_names(outsiders.deleted)}, which was deleted")
    if (left := _without(statement, outsiders.let_in | outsiders.deleted)) is not None:
        reading.kept.append(left)


def _without(statement: Statement, principals: frozenset[Principal]) -> Statement | None:
    """A statement without some of whom it is about; ``None`` where nobody is left."""
    if not principals:
        return statement
    if "Principal" not in statement.written or (EVERYBODY in principals and "NotPrincipal" in statement.written):
        return None
    left = without(statement.written["Principal"], principals)
    return replace(statement, written={**statement.written, "Principal": left}) if left is not None else None


def _is_earlier(statement: Statement) -> bool:
    """Whether the steward wrote this before its Sids had a prefix."""
    return (
        statement.sid in _EARLIER_SIDS
        and statement.is_allow
        and statement.actions == (_PULL if statement.sid.startswith("Pull") else _PUSH)
        and statement.written.keys() <= {"Sid", "Effect", "Principal", "Action", "Condition"}
    )


def _difference(wanted: frozenset[Grant], actual: frozenset[Grant]) -> tuple[frozenset[Grant], frozenset[Grant]]:
    return wanted - actual, actual - wanted


def _takes_away(before: frozenset[Grant], after: frozenset[Grant]) -> bool:
    """Whether an Allow goes or a Deny comes."""
    return any(_is_allow(grant) for grant in before - after) or any(not _is_allow(grant) for grant in after - before)


def _is_allow(grant: Grant) -> bool:
    return grant[2] == "Allow"


def _why(
    actual: Document | UnreadableDocument | None,
    lacking: frozenset[Grant],
    surplus: frozenset[Grant],
    removed: list[str],
) -> str:
    if actual is None:
        return "the repository policy is missing"
    return f"the repository policy {'; '.join(_reasons(lacking, surplus, removed))}"


def _reasons(lacking: frozenset[Grant], surplus: frozenset[Grant], removed: list[str]) -> Iterator[str]:
    if lacking:
        yield f"lacks what the rulebook says about {_whom(lacking)}"
    if surplus:
        yield f"has in the rulebook's name what it does not say, about {_whom(surplus)}"
    if removed:
        yield f"is to lose what others put there: {'; '.join(removed)}"


def _whom(grants: frozenset[Grant]) -> str:
    return _names(frozenset(grant[0] if isinstance(grant[0], Principal) else EVERYBODY for grant in grants))


def _names(principals: frozenset[Principal]) -> str:
    names = sorted(map(str, principals))
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
