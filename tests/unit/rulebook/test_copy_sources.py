"""One place, one source, by `validate` and across all rules (attacks H3 and M14; use P2 and P3)."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.domain.one_source import OneSource
from ecr_steward.rulebook.compile import compile_rulebook
from ecr_steward.rulebook.glob_meeting import common_names, pairs
from ecr_steward.rulebook.patterns import repository_matcher
from ecr_steward.rulebook.validate import validate

ONE, TWO, THREE = "111122223333", "222233334444", "333344445555"
HERE, AWAY, FAR = {"region": "us-east-1"}, {"region": "eu-west-1"}, {"region": "ap-south-1"}


def copying(name, match, *to, **keys):
    """A rule that copies what it matches."""
    return {"name": name, "match": {"repositories": ["**"], **match}, "replicate": [{"to": list(to)}], **keys}


def found(*rules):
    """Which destinations are wrong, and how."""
    problems = validate({"version": 1, "rules": list(rules)})[1]
    return [(f"{problem.path[1]}.{problem.path[3]}.{problem.path[5]}", problem.code.value) for problem in problems]


@pytest.mark.parametrize(
    ("match", "to"),
    [
        ({}, [AWAY]),
        ({"accounts": [ONE]}, [{"account": TWO}]),
        ({"accounts": [ONE, TWO]}, [{"account": TWO}]),
        ({"accounts": [ONE]}, [AWAY, {"account": TWO}]),
        ({"accounts": [ONE], "regions": ["us-east-1"]}, [{"account": TWO, **HERE}]),
        ({"accounts": [ONE], "regions": ["us-east-1"]}, [{"account": ONE, **AWAY}]),
        ({"accounts": [ONE]}, [{"account": TWO}, {"account": THREE}]),
        ({"accounts": [ONE]}, [{"account": TWO, **AWAY}, {"account": TWO, **HERE}]),
        ({"regions": ["us-east-1"]}, [AWAY, FAR]),
        ({"accounts": [ONE], "repositories": ["**"]}, [{"account": TWO, "repository": "r/{name}"}]),
        ({"repositories": ["team-*/**"]}, [{"repository": "release/{name}"}]),
        ({"repositories": ["*"]}, [{"repository": "release/{name}"}]),
        ({"repositories": ["team-a/api"]}, [{**AWAY, "repository": "release/all"}]),
        ({"regions": ["us-east-1"], "accounts": [ONE]}, [{"registry": "ghcr.io", "repository": "acme/{name}"}]),
    ],
)
def test_a_copy_is_valid_where_each_place_has_one_source(match, to):
    assert found(copying("services", match, *to)) == []


@pytest.mark.parametrize(
    ("match", "to"),
    [
        pytest.param({"accounts": [ONE, TWO]}, [{"account": THREE}], id="two accounts into a third"),
        pytest.param({"regions": ["us-east-1", "eu-west-1"]}, [FAR], id="two regions into a third"),
        pytest.param({"regions": ["us-*"]}, [AWAY], id="regions by a pattern"),
        pytest.param({}, [{**AWAY, "repository": "release/all"}], id="many names into one"),
        pytest.param({"accounts": [ONE, TWO]}, [{"registry": "ghcr.io"}], id="two accounts into another registry"),
    ],
)
def test_two_sources_of_one_place_are_refused(match, to):
    assert found(copying("services", match, *to)) == [("0.0.0", "ES512")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(
            ({"repositories": ["a/x"]}, "release/b/x"), ({"repositories": ["b/*"]}, "release/{name}"), id="name"
        ),
        pytest.param(
            ({"repositories": ["team-*/api"]}, "x/{name}"), ({"repositories": ["api"]}, "x/team-b/{name}"), id="globs"
        ),
        pytest.param(
            ({"repositories": ["x/**"]}, "all/{name}"),
            ({"repositories": ["all/**/z"]}, "{name}"),
            id="where one copies",
        ),
    ],
)
def test_two_rules_that_copy_to_one_place_are_refused(one, other):
    """Attack `yaml/two_sources.yaml`."""
    rules = [
        copying(name, {**match, "regions": [region]}, {**AWAY, "repository": template})
        for name, region, (match, template) in (("one", "us-east-1", one), ("other", "us-west-2", other))
    ]

    assert {code for _, code in found(*rules)} == {"ES512"}


def test_two_rules_that_share_no_image_tag_may_copy_to_one_place():
    rules = [copying(name, {"regions": [region]}, AWAY) for name, region in (("a", "us-east-1"), ("b", "us-west-2"))]
    rules[0]["replicate"][0]["images"] = {"tags": ["release-*"]}
    rules[1]["replicate"][0]["images"] = {"tags": ["dev-*", "latest"]}

    assert found(*rules) == []
    rules[1]["replicate"][0]["images"]["tags"] = ["release-1.0"]
    assert {code for _, code in found(*rules)} == {"ES512"}


def test_a_copy_to_another_account_names_the_accounts_that_it_comes_from():
    """H3: else a connected account writes into the hub, by a rule that was meant for the hub."""
    (problem,) = validate({"version": 1, "rules": [copying("payments", {}, {"account": ONE})]})[1]

    assert str(problem) == (
        "rules[0].replicate[0].to[0]: nothing is copied to 111122223333/us-east-1/a/a: it is in another account, and "
        '`match` names none to copy from; expected `accounts: ["<account id>"]` in `match`'
    )
    assert found(copying("payments", {"accounts": ["*"]}, {"account": ONE})) != []


MIRRORED = {"name": "mirrored", "replicate": [{"to": [{"account": TWO}]}]}


def extending(name, *accounts):
    """A rule that copies as a profile says."""
    match = {"repositories": [f"{name}/**"], **({"accounts": list(accounts)} if accounts else {})}
    return {"name": name, "match": match, "extends": ["mirrored"]}


def test_a_profile_copies_to_another_account_for_rules_that_name_the_accounts():
    """The profile has no `match`: which accounts are copied from says each rule."""
    rulebook, problems = validate(
        {"version": 1, "profiles": [MIRRORED], "rules": [extending("a", ONE), extending("b", THREE)]}
    )

    assert problems == ()
    rules = compile_rulebook(rulebook)
    homes = tuple(RegistryRef(account, "us-east-1") for account in (ONE, TWO, THREE))
    own = OneSource(rules, homes)
    said = {
        source: [
            own.objection(asked.rule, asked.replication, source, asked.arrival(source))
            for asked in own.asked_of(source)
        ]
        for source in (RepositoryRef(home, name) for home in homes for name in ("a/x", "b/x"))
    }
    assert {source: each for source, each in said.items() if each} == {
        RepositoryRef(homes[0], "a/x"): [None],
        RepositoryRef(homes[2], "b/x"): [None],
    }


def test_a_rule_that_names_no_account_may_not_copy_to_another_one_by_a_profile_or_by_defaults():
    """`defaults` match every account, whichever the rules above name."""
    (of_rule,) = validate({"version": 1, "profiles": [MIRRORED], "rules": [extending("a", ONE), extending("b")]})[1]
    other = {"name": "a", "match": {"repositories": ["a/**"], "accounts": [ONE]}, "image_tags": {"deny": ["x"]}}
    (of_defaults,) = validate({"version": 1, "defaults": {"replicate": MIRRORED["replicate"]}, "rules": [other]})[1]

    assert (of_rule.path, of_rule.code.value) == (("rules", 1, "replicate", 0, "to", 0), "ES513")
    assert (of_defaults.path, of_defaults.code.value) == (("defaults", "replicate", 0, "to", 0), "ES513")


@pytest.mark.parametrize(
    ("match", "to"),
    [
        ({"repositories": ["x", "team-*/**"]}, {"repository": "team-b/{name}"}),
        ({"repositories": ["team-*/**"]}, {"repository": "{name}/release"}),
        ({"regions": ["eu-west-1"]}, {**AWAY, "repository": "r/{name}"}),
    ],
)
def test_copies_without_end_are_refused_when_the_rule_governs_where_they_arrive(match, to):
    assert found(copying("services", match, to)) == [("0.0.0", "ES504")]


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param([("a/**", {"repository": "b/{name}"}), ("b/**", {"repository": "a/{name}"})], id="two rules"),
        pytest.param(
            [
                ("a/**", {"repository": "b/{name}"}),
                ("b/**", {"repository": "c/{name}"}),
                ("c/**", {"repository": "a/{name}"}),
            ],
            id="three rules",
        ),
    ],
)
def test_copies_without_end_are_refused_across_rules(rules):
    """P2: one push made 127 repositories."""
    written = [copying(f"rule-{number}", {"repositories": [name]}, to) for number, (name, to) in enumerate(rules)]

    assert {code for _, code in found(*written)} == {"ES504"}


@pytest.mark.parametrize(
    "ways",
    [
        pytest.param([("us-east-1", AWAY), ("eu-west-1", HERE)], id="two regions"),
        pytest.param([("us-east-1", AWAY), ("eu-west-1", FAR), ("ap-south-1", HERE)], id="three regions"),
    ],
)
def test_copies_that_come_back_are_refused_across_rules(ways):
    rules = [copying(f"from-{region}", {"regions": [region]}, to) for region, to in ways]

    assert {code for _, code in found(*rules)} == {"ES505"}


@pytest.mark.parametrize(
    ("match", "to"),
    [
        ({}, [AWAY, HERE]),
        ({}, [AWAY, HERE, FAR]),
        ({"accounts": [ONE, TWO], "repositories": ["team-*/**"]}, [{"account": TWO}, {"account": ONE}]),
    ],
)
def test_copies_that_come_back_are_refused_within_a_rule(match, to):
    assert {code for _, code in found(copying("services", match, *to))} == {"ES505"}


@pytest.mark.parametrize(
    ("chosen", "also_chosen", "codes"),
    [
        (["semver"], ["main-*"], {"ES505"}),  # `main-1` is no version, which only the scheme knows
        (["v*"], ["main-*"], set()),
        (["v*"], ["main-*", "v1"], {"ES505"}),
        (["v*"], None, {"ES505"}),
    ],
)
def test_copies_that_come_back_are_refused_when_both_entries_may_choose_one_image_tag(chosen, also_chosen, codes):
    rule = copying("services", {}, AWAY)
    rule["replicate"][0]["images"] = {"tags": chosen}
    rule["replicate"].append({"to": [HERE]} | ({"images": {"tags": also_chosen}} if also_chosen else {}))

    assert {code for _, code in found(rule)} == codes


def test_copies_are_valid_where_a_rule_above_exempts_what_arrives():
    released = {"name": "released", "match": {"repositories": ["release/**"]}, "final": True}
    replicas = {"name": "copies", "match": {"repositories": ["**"], "regions": ["eu-*"]}, "replicate": []}

    assert found(released, copying("services", {}, {"repository": "release/{name}"})) == []
    assert found(replicas, copying("services", {}, AWAY, HERE)) == []


def test_a_chain_of_copies_is_valid_until_it_is_too_long():
    chain = [copying(f"n{n}", {"repositories": [f"n{n}/*"]}, {"repository": f"n{n + 1}/x"}) for n in range(6)]
    for rule in chain:
        rule["match"]["repositories"] = [f"{rule['name']}/x"]

    assert found(*chain[:4]) == []
    assert found(*chain) == [("4.0.0", "ES504"), ("5.0.0", "ES504")]


@pytest.mark.parametrize(
    ("tags", "codes"),
    [(["1.*"], ["ES514"]), (["1.0"], ["ES514"]), (["2.*"], []), (["main"], ["ES514"])],
)
def test_image_tags_that_the_destination_forbids_are_refused(tags, codes):
    """M14: each sweep copied the tag, and took it away again."""
    source = copying("src", {"repositories": ["src/**"]}, {"repository": "dst/{name}"})
    source["replicate"][0]["images"] = {"tags": tags}
    there = {
        "name": "dst",
        "match": {"repositories": ["dst/**"]},
        "mode": "enforce",
        "image_tags": {"deny": ["1.*", "main"], "on_violation": "quarantine"},
    }

    assert [code for _, code in found(source, there)] == codes
    assert found(source, {**there, "mode": "observe"}) == []


GLOBS = st.lists(st.sampled_from(["a", "b", "*", "a*", "*b", "**", "a*b"]), min_size=1, max_size=3).map("/".join)
NAMES = st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=3).map("/".join)


@given(GLOBS, GLOBS)
def test_a_common_name_fits_both_globs(one, other):
    for name in common_names(("", one, ""), ("", other, "")):
        assert repository_matcher(one).matches(name)
        assert repository_matcher(other).matches(name)


@st.composite
def globs_of(draw, name):
    """Globs that a name fits."""
    segments = name.split("/")
    kept = [draw(st.sampled_from([each, "*", f"*{each[1:]}", f"{each[:-1]}*"])) for each in segments]
    cut = draw(st.integers(0, len(kept)))
    return "/".join(["**", *kept[cut:]] if cut < len(kept) else [*kept[:-1], "**"])


@given(NAMES.flatmap(lambda name: st.tuples(globs_of(name), globs_of(name))))
def test_globs_that_fit_one_name_have_a_common_name(globs):
    one, other = globs

    assert list(common_names(("", one, ""), ("", other, "")))


@given(st.lists(GLOBS, min_size=2, max_size=6, unique=True), st.sampled_from(["", "a", "b/"]))
@example(["a/a", "**/a/a"], "a")  # `**/` stands for nothing, and no slash is before the text after it
def test_globs_that_have_a_common_name_are_compared(globs, before):
    arrivals = [(before, glob, "") for glob in globs]
    every = dict.fromkeys([*arrivals, *(("", glob, "") for glob in globs)])

    met = set(pairs(arrivals, every))

    for one in arrivals:
        for other in every:
            assert one == other or (one, other) in met or not list(common_names(one, other))
