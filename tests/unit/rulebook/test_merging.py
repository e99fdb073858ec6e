"""Several rules for one repository: who decides what, and what rules inherit."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcmatch import glob as wcglob

from ecr_steward.domain.governance import plan_repository
from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.domain.plan import DeleteLifecyclePolicy
from ecr_steward.domain.repositories import Repository, RepositorySettings
from ecr_steward.domain.rules import Mode
from ecr_steward.rulebook.compile import compile_rulebook
from ecr_steward.rulebook.deciding import covers_glob
from ecr_steward.rulebook.patterns import repository_matcher
from ecr_steward.rulebook.validate import validate

HOME = RegistryRef("111122223333", "us-east-1")
API = RepositoryRef(HOME, "team-a/api")
DENY = {"deny": ["latest"]}
SCAN = {"fail_on": {"severity": "HIGH"}}


def rule(name, *repositories, **keys):
    return {"name": name, "match": {"repositories": list(repositories or ("**",))}} | keys


def rules_of(*rules, **keys):
    rulebook, problems = validate({"version": 1, "rules": list(rules)} | keys)
    assert problems == ()
    return compile_rulebook(rulebook)


def told(*rules, **keys):
    return [str(problem) for problem in validate({"version": 1, "rules": list(rules)} | keys)[1]]


def settings(governing):
    return {each.name: each.repository(API.registry) for each in governing.settings}


def test_each_section_is_the_first_rules_that_says_it_when_several_match():
    rules = rules_of(
        rule("team", "team-a/**", mode="enforce", image_tags=DENY),
        rule("everybody", scan=SCAN, image_tags={"allow": ["semver"]}),
    )

    governing = rules.governing(API, {})

    assert governing.names == ("team", "everybody")
    assert (governing.image_tags.name, governing.image_tags.mode) == ("team", Mode.ENFORCE)
    assert (governing.scan.name, governing.scan.mode) == ("everybody", Mode.OBSERVE)
    assert governing.image_tags.image_tags.allow == ()
    assert governing.image_tags.scan == governing.scan.scan
    assert governing.replicate is None


def test_each_setting_is_the_first_rules_that_says_it_when_several_match():
    rules = rules_of(
        rule("team", "team-a/**", repository={"scanning": "manual", "resource_tags": {"tier": "prod"}}),
        rule("all", repository={"scanning": "on_push", "mutability": {"immutable": True}, "resource_tags": {"x": "y"}}),
    )

    found = settings(rules.governing(API, {}))

    assert list(found) == ["team", "all"]
    assert (found["team"].scan_on_push, found["team"].resource_tags) == (False, {"tier": "prod"})
    assert (found["all"].scan_on_push, found["all"].resource_tags) == (None, {"x": "y"})
    assert found["all"].mutability is not None


def test_rules_below_have_no_say_when_a_rule_is_final():
    rules = rules_of(rule("exempt", "team-a/**", final=True), rule("all", scan=SCAN), defaults={"image_tags": DENY})

    governing = rules.governing(API, {})

    assert (governing.names, governing.scan, governing.image_tags) == (("exempt",), None, None)
    assert rules.governing(replace(API, name="other"), {}).scan.name == "all"


def test_an_excluded_repository_is_not_matched_when_a_rule_leaves_it_out():
    match = {"repositories": ["team-*/**"], "exclude": ["team-a/**"]}
    rules = rules_of({"name": "teams", "match": match, "scan": SCAN})

    assert rules.governing(API, {}).names == ()
    assert rules.governing(replace(API, name="team-b/api"), {}).names == ("teams",)


@pytest.mark.parametrize(
    ("carried", "names"),
    [({}, ()), ({"tier": "dev"}, ()), ({"tier": "prod-eu", "x": "y"}, ("prod",)), ({"Tier": "prod-eu"}, ())],
)
def test_resource_tags_decide_when_a_rule_matches_by_them(carried, names):
    rules = rules_of(
        {"name": "prod", "match": {"repositories": ["**"], "resource_tags": {"tier": "prod*"}}, "scan": SCAN}
    )

    assert rules.governing(API, carried).names == names
    assert rules.needs_resource_tags(API)


def test_no_resource_tags_are_needed_when_no_rule_asks_for_them():
    assert not rules_of(rule("all", scan=SCAN)).needs_resource_tags(API)


@pytest.mark.parametrize(
    ("owns", "observed"),
    [
        ({}, {"settings"}),
        ({"infrastructure_code_owns": ["image_tags"]}, {"image_tags"}),
        (
            {"infrastructure_code_owns": ["settings", "image_tags", "scan", "replicate"]},
            {"settings", "image_tags", "scan", "replicate"},
        ),
    ],
)
def test_only_what_other_code_owns_of_a_repository_is_observed(owns, observed):
    """attacks M3: its settings, and no image tags, verdicts and copies unless the rulebook says so."""
    copies = [{"to": [{"region": "eu-west-1"}]}]
    rules = rules_of(
        rule("all", mode="enforce", scan=SCAN, image_tags=DENY, replicate=copies, repository={"scanning": "on_push"}),
        infrastructure_code={"managed-by": ["terraform", "cdk*"]},
        **owns,
    )

    for owner, expected in (("terraform", observed), ("cdk-2", observed), ("people", set())):
        found = rules.governing(API, {"managed-by": owner})
        sections = {
            "settings": found.settings[0],
            "image_tags": found.image_tags,
            "scan": found.scan,
            "replicate": found.replicate,
        }
        assert {name for name, section in sections.items() if section.mode is Mode.OBSERVE} == expected


def test_what_no_rule_says_is_the_defaults_when_some_rule_matches():
    rules = rules_of(
        rule("team", "team-a/**", scan=SCAN),
        defaults={"mode": "enforce", "image_tags": DENY, "repository": {"scanning": "on_push"}},
    )

    governing = rules.governing(API, {})

    assert (governing.scan.name, governing.scan.mode) == ("team", Mode.ENFORCE)
    assert (governing.image_tags.name, governing.image_tags.mode) == ("defaults", Mode.ENFORCE)
    assert settings(governing)["defaults"].scan_on_push is True
    assert rules.governing(replace(API, name="other"), {}).names == ()


def test_keys_inside_a_section_are_inherited_when_a_rule_extends_profiles():
    rules = rules_of(
        rule(
            "team", extends=["strict"], image_tags={"on_violation": "notify"}, repository={"resource_tags": {"a": "1"}}
        ),
        profiles=[
            {"name": "strict", "extends": ["base"], "image_tags": {"deny": ["latest"], "on_violation": "quarantine"}},
            {
                "name": "base",
                "mode": "enforce",
                "image_tags": {"deny": ["x"], "allow": ["semver"]},
                "repository": {"resource_tags": {"a": "2", "b": "3"}},
            },
        ],
    )

    (compiled,) = rules.rules

    assert compiled.mode is Mode.ENFORCE
    assert [pattern.spelling for pattern in compiled.image_tags.deny] == ["latest"]
    assert [pattern.spelling for pattern in compiled.image_tags.allow] == ["semver"]
    assert compiled.image_tags.on_violation == "notify"
    assert compiled.repository(API.registry).resource_tags == {"a": "1", "b": "3"}


def test_a_rule_copies_nothing_when_its_list_is_empty():
    rules = rules_of(
        rule("quiet", "team-a/**", replicate=[]), rule("all", replicate=[{"to": [{"region": "eu-west-1"}]}])
    )

    assert rules.governing(API, {}).replicate.replicate == ()
    assert len(rules.governing(replace(API, name="other"), {}).replicate.replicate) == 1


def test_every_rule_observes_when_the_rules_are_observing():
    rules = rules_of(
        rule("all", mode="enforce", scan=SCAN), defaults={"mode": "enforce", "image_tags": DENY}
    ).observing()

    governing = rules.governing(API, {})

    assert {governing.scan.mode, governing.image_tags.mode} == {Mode.OBSERVE}


@pytest.mark.parametrize(
    ("rules", "keys", "says"),
    [
        ([rule("a", mode="enforce")], {}, "rules[0]: the rule `a` says nothing"),
        (
            [rule("a", extends=["strct"])],
            {"profiles": [{"name": "strict", "scan": SCAN}]},
            "rules[0].extends[0]: there is no profile `strct`; did you mean `strict`?",
        ),
        (
            [rule("a", extends=["b"])],
            {"profiles": [{"name": "b", "extends": ["c"]}, {"name": "c", "extends": ["b"]}]},
            "profiles[0].extends: the profile `b` extends itself: b -> c -> b",
        ),
        ([rule("defaults", scan=SCAN)], {}, "rules[0].name: `defaults` is what steps call the key `defaults`"),
        (
            [rule("a", scan=SCAN), rule("b", "team-a/**", scan=SCAN)],
            {},
            "rules[1].scan: this never decides anything: `a` above matches all that this rule does and says it",
        ),
        (
            [rule("a", "team-*/**", repository={"resource_tags": {"x": "1"}}),
             rule("b", "team-a/**", repository={"resource_tags": {"x": "2", "y": "1"}})],
            {},
            "rules[1].repository.resource_tags.x: this never decides anything",
        ),
        (
            [rule("a", final=True), rule("b", "team-a/**", scan=SCAN)],
            {},
            "rules[1].match: this never decides anything: `a` above matches all of it and is final",
        ),
    ],
)  # fmt: skip
def test_the_reason_is_told_when_rules_are_written_in_vain(rules, keys, says):
    assert told(*rules, **keys)[0].startswith(says)


def test_a_contradiction_is_told_at_the_profile_when_rules_inherit_it():
    profile = {"name": "base", "image_tags": {"allow": ["x*"], "deny": ["x*"]}}

    (problem,) = told(rule("a", "a/**", extends=["base"]), rule("b", "b/**", extends=["base"]), profiles=[profile])

    assert problem.startswith("profiles[0].image_tags.deny[0]: `x*` is allowed and denied")


def test_rules_are_accepted_when_the_more_particular_one_stands_first():
    assert told(rule("a", "team-a/**", scan=SCAN), rule("b", scan=SCAN)) == []


def test_mutability_is_left_as_it_is_and_told_when_it_would_hold_an_alias_of_another_rule():
    aliases = {"from": "semver", "add": ["{major}-latest"]}
    rules = rules_of(
        rule("team", "team-a/**", image_tags={"aliases": aliases}),
        rule("all", mode="enforce", repository={"mutability": {"immutable": True}, "scanning": "on_push"}),
    )

    governing = rules.governing(API, {})

    (conflict,) = governing.conflicts
    assert (conflict.rule, conflict.mode) == ("all", Mode.ENFORCE)
    assert conflict.why.startswith("mutability is left as it is: as IMMUTABLE, `{major}-latest` cannot move")
    assert settings(governing)["all"].mutability is None
    assert settings(governing)["all"].scan_on_push is True
    assert rules.governing(replace(API, name="other"), {}).conflicts == ()


def test_there_is_no_conflict_when_an_exception_lets_the_alias_move():
    aliases = {"from": "semver", "add": ["{major}-latest"]}
    rules = rules_of(
        rule("team", "team-a/**", image_tags={"aliases": aliases}),
        rule("all", repository={"mutability": {"immutable": True, "except": ["*-latest"]}}),
    )

    assert rules.governing(API, {}).conflicts == ()


def test_ecr_is_not_told_to_expire_what_another_rule_protects():
    lifecycle = [{"keep": {"newest": 30, "tags": ["*"]}}, {"expire": {"untagged": True, "after": "14d"}}]
    rules = rules_of(
        rule("team", "team-a/**", image_tags={"protect": ["release-*"]}),
        rule("all", repository={"lifecycle": lifecycle}),
    )

    protected, unprotected = (settings(rules.governing(ref, {}))["all"] for ref in (API, replace(API, name="other")))

    assert len(unprotected.lifecycle["rules"]) == 2
    assert len(protected.lifecycle["rules"]) == 1
    assert [entry.spelling for entry in protected.retention.expires] == ["keep the newest 30 of *"]


EXPIRING = {"lifecycle": [{"expire": {"untagged": True, "after": "14d"}}, {"expire": {"not_pulled_for": "90d"}}]}
ACTUAL = {"rules": [{"rulePriority": 1}]}


@pytest.mark.parametrize(
    "inherited",
    [
        {"defaults": {"repository": EXPIRING}},
        {"profiles": [{"name": "short", "repository": EXPIRING}]},
        {},
    ],
)
def test_no_image_expires_and_a_lifecycle_policy_is_deleted_when_the_deciding_rule_has_an_empty_lifecycle(inherited):
    extends = {"extends": ["short"]} if "profiles" in inherited else {}
    rules = rules_of(
        rule("audit", "team-a/**", mode="enforce", repository={"lifecycle": []}, **extends),
        rule("all", repository=EXPIRING),
        **inherited,
    )

    decided = settings(rules.governing(API, {}))["audit"]
    plan = plan_repository(rules.rules[0], Repository(API, RepositorySettings(lifecycle=ACTUAL)))

    assert (decided.lifecycle, decided.retention.expires) == ({"rules": []}, ())
    assert [type(step) for step in plan.steps] == [DeleteLifecyclePolicy]
    assert plan_repository(rules.rules[0], Repository(API, RepositorySettings())).steps == ()


def test_a_lifecycle_policy_is_left_alone_when_no_rule_has_the_key():
    rules = rules_of(rule("team", repository={"scanning": "on_push"}))

    plan = plan_repository(rules.rules[0], Repository(API, RepositorySettings(lifecycle=ACTUAL, scan_on_push=True)))

    assert (settings(rules.governing(API, {}))["team"].lifecycle, plan.steps) == (None, ())


def test_an_entry_that_only_ecr_could_carry_out_is_told_when_another_rule_protects_what_it_would_take():
    rules = rules_of(
        rule("team", "team-a/**", image_tags={"protect": ["release-*"]}),
        rule("all", repository={"lifecycle": [{"archive": {"after": "30d"}}]}),
    )

    (conflict,) = rules.governing(API, {}).conflicts

    assert conflict.rule == "all"
    assert "would also do it to what `protect release-*` protects, so this entry is left out" in conflict.why
    assert rules.governing(replace(API, name="other"), {}).conflicts == ()


SEGMENTS = st.text("ab*", min_size=1, max_size=3).filter(lambda text: "**" not in text) | st.just("**")
GLOBS = st.lists(SEGMENTS, min_size=1, max_size=3).map("/".join)
NAMES = st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=4).map("/".join)


@given(GLOBS, GLOBS, st.lists(NAMES, max_size=20))
def test_a_glob_that_covers_another_matches_all_its_names(one, other, names):
    if covers_glob(one, other):
        theirs, mine = repository_matcher(other), repository_matcher(one)
        assert all(mine.matches(name) for name in names if theirs.matches(name))


@given(GLOBS, NAMES)
def test_globs_match_what_wcmatch_says(pattern, name):
    flags = wcglob.GLOBSTAR | wcglob.FORCEUNIX | wcglob.DOTGLOB | wcglob.CASE

    assert repository_matcher(pattern).matches(name) == wcglob.globmatch(name, pattern, flags=flags)
