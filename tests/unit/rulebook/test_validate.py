"""What a rulebook may not say, and how it is told."""

import pytest

from ecr_steward.rulebook.validate import validate

ALIASES = {"from": "semver", "add": ["{major}.{minor}-latest"]}


def test_the_example_is_valid_when_nothing_is_changed(example):
    rulebook, problems = validate(example)

    assert problems == ()
    assert rulebook is not None
    assert rulebook.rules[0].name == "services"


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (
            {"mode": "enforced"},
            "rules[0].mode: `enforced` is not known here; did you mean `enforce`?; expected observe or enforce",
        ),
        (
            {"aliases": ALIASES},
            "rules[0].aliases: unknown key `aliases`; it belongs below `image_tags`; "
            "expected one of name, match, extends, final, mode, brake, image_tags, repository, scan, replicate",
        ),
        (
            {"repository": {"scaning": "on_push"}},
            "rules[0].repository.scaning: unknown key `scaning`; did you mean `scanning`?; "
            "expected one of policy, lifecycle, mutability, scanning, encryption, resource_tags",
        ),
        (
            {"name": "My Rule"},
            "rules[0].name: `My Rule` does not fit here; expected a name of letters a-z, digits and dashes",
        ),
        ({"image_tags": None}, "rules[0].image_tags: there is no value here; expected a value, or no key at all"),
        (
            {"match": {"repositories": "team-*/**"}},
            "rules[0].match.repositories: `team-*/**` does not fit here; expected a list: put it in [brackets], "
            "or write its entries below each other, each after a dash",
        ),
        (
            {"match": {"repositories": []}},
            "rules[0].match.repositories: `[]` does not fit here; expected at least 1 entry",
        ),
        (
            {"match": {"repositories": ["team-[ab]/*"]}},
            "rules[0].match.repositories[0]: `team-[ab]/*` can match no repository: names hold a-z, 0-9, `.`, `_`, `-` "
            "and `/`; wildcards are `*` and `**`",
        ),
        (
            {"match": {"repositories": ["team-a**"]}},
            "rules[0].match.repositories[0]: in `team-a**`, `**` must stand alone between slashes, such as team-a/**",
        ),
        (
            {"match": {"repositories": ["/team-a"]}},
            "rules[0].match.repositories[0]: `/team-a` can match no repository: it has a slash at an "
            "end or two in a row",
        ),
        (
            {"match": {"repositories": ["**"], "accounts": [111122223333]}},
            "rules[0].match.accounts[0]: `111122223333` does not fit here; expected text: put it in quotes",
        ),
        (
            {"match": {"repositories": ["**"], "accounts": ["1111"]}},
            'rules[0].match.accounts[0]: `1111` is not an account id: twelve digits in quotes, such as "111122223333"',
        ),
        (
            {"match": {"repositories": ["**"], "regions": ["Ireland"]}},
            "rules[0].match.regions[0]: 'Ireland' is not a region such as eu-west-1",
        ),
        (
            {"image_tags": {"allow": ["semvr"]}},
            "rules[0].image_tags.allow[0]: `semvr` is no scheme; did you mean `semver`?; "
            "expected a scheme, or {regex: semvr} for an image tag of that name",
        ),
        (
            {"image_tags": {"allow": ["git-sha"]}},
            "rules[0].image_tags.allow[0]: `git-sha` is no scheme; did you mean `git_sha`?; "
            "expected a scheme, or {regex: git-sha} for an image tag of that name",
        ),
        (
            {"image_tags": {"deny": ["sha-[0-9]+"]}},
            "rules[0].image_tags.deny[0]: `sha-[0-9]+` can match no image tag; "
            "expected letters, digits, `.`, `_`, `-` and `*`, or {regex: '...'}",
        ),
        (
            {"image_tags": {"deny": [{"regex": "(?=a)"}]}},
            "rules[0].image_tags.deny[0].regex: RE2 refuses this regular expression: invalid perl operator: (?=",
        ),
        (
            {"image_tags": {"allow": [1.4]}},
            "rules[0].image_tags.allow[0]: `1.4` does not fit here; expected text: put it in quotes",
        ),
        (
            {"image_tags": {"aliases": {"from": "semver", "add": ["{mayor}-latest"]}}},
            "rules[0].image_tags.aliases.add[0]: `{mayor}` is no part of a version; did you mean `major`?; "
            "expected {major}, {minor} and {patch}, or {year} and {month}",
        ),
        (
            {"image_tags": {"aliases": {"from": "semver", "add": ["{major}.{minor}.{patch}-latest"]}}},
            "rules[0].image_tags.aliases.add[0]: `{major}.{minor}.{patch}-latest` makes `0.0.0-latest`, "
            "which reads as a version itself: an alias must not",
        ),
        (
            {"image_tags": {"aliases": {"from": "semver", "add": ["-{major}"]}}},
            "rules[0].image_tags.aliases.add[0]: `-{major}` makes `-0`, which is not an image tag",
        ),
        (
            {"image_tags": {"aliases": {"from": "semver", "add": ["{major}-latest"]}, "deny": ["*-latest"]}},
            "rules[0].image_tags.aliases.add[0]: `{major}-latest` makes `0-latest`, which `deny: *-latest` forbids",
        ),
        (
            {"image_tags": {"allow": ["a-*"], "deny": ["a-*"]}},
            "rules[0].image_tags.deny[0]: `a-*` is allowed and denied",
        ),
        (
            {"repository": {"policy": {}}},
            "rules[0].repository.policy: this policy says nothing; expected `pull`, `push`, `statements` or "
            "`outside: remove`, or `foreign: remove` alone for no policy at all",
        ),
        (
            {"repository": {"policy": {"pull": ["acount"]}}},
            "rules[0].repository.policy.pull[0]: `acount` is nobody; did you mean `account`?; "
            "expected account, an account id of twelve digits, org:o-..., ou:o-.../r-.../ou-.../*, role/NAME, "
            "user/NAME, lambda or codebuild",
        ),
        (
            {"repository": {"policy": {"pull": ["*"]}}},
            "rules[0].repository.policy.pull[0]: a repository is not opened to everybody by a short word; "
            "`statements` can say it",
        ),
        (
            {"repository": {"lifecycle": [{"expire": {"after": 14}}]}},
            "rules[0].repository.lifecycle[0].expire.after: `14` is not a duration: write days or "
            "weeks, such as 14d or 2w",
        ),
        (
            {"repository": {"lifecycle": [{"keep": {"newest": 0}}]}},
            "rules[0].repository.lifecycle[0].keep.newest: `0` does not fit here; expected 1 or more",
        ),
        (
            {"repository": {"mutability": {"immutable": "yes"}}},
            "rules[0].repository.mutability.immutable: `yes` does not fit here; expected true or false",
        ),
        (
            {"repository": {"mutability": {"immutable": True, "except": list("abcdef")}}},
            "rules[0].repository.mutability.except: `[...]` does not fit here; expected at most 5 entries",
        ),
        (
            {"repository": {"mutability": {"immutable": True, "except": ["v[0-9]"]}}},
            "rules[0].repository.mutability.except[0]: `v[0-9]` is not a filter that ECR takes: "
            "up to 128 letters, digits, `.`, `_`, `-` and `*`",
        ),
        (
            {"repository": {"mutability": {"immutable": True, "except": ["*-rc.*.*"]}}},
            "rules[0].repository.mutability.except[0]: `*-rc.*.*` is not an exception that ECR takes: at most two `*`",
        ),
        (
            {"repository": {"resource_tags": {"aws:owner": "me"}}},
            "rules[0].repository.resource_tags.aws:owner: `aws:owner` is not the key of a resource tag: "
            "up to 128 letters, digits and _.:/=+@-, not starting with aws: or ecr-steward:",
        ),
        (
            {"repository": {"resource_tags": {"ecr-steward:copies": "0"}}},
            "rules[0].repository.resource_tags.ecr-steward:copies: `ecr-steward:copies` is not the key of a resource "
            "tag: up to 128 letters, digits and _.:/=+@-, not starting with aws: or ecr-steward:",
        ),
        (
            {"replicate": [{"to": [{}]}]},
            "rules[0].replicate[0].to[0]: a destination needs another `account`, `region` or `repository` "
            "than the source",
        ),
        (
            {"replicate": [{"to": [{"repository": "release/{repo}"}]}]},
            "rules[0].replicate[0].to[0].repository: `{repo}` is not known here: the only placeholder is {name}",
        ),
        (
            {
                "match": {"repositories": ["**"], "regions": ["eu-west-1"]},
                "replicate": [{"to": [{"region": "us-east-1"}, {"region": "eu-west-1"}]}],
            },
            "rules[0].replicate[0].to[1]: every repository of this rule would be copied onto itself",
        ),
    ],
)
def test_the_reason_is_told_when_a_rule_is_wrong(with_rule, problems_of, keys, told):
    assert problems_of(with_rule(**keys)) == [told]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (
            {"rules": [{"name": "a", "match": {"repositories": ["x"]}, "final": True}]},
            ["rulebook: `version` is missing"],
        ),
        ({"version": 1}, ["rulebook: `rules` is missing"]),
        (None, ["rulebook: there is no value here; expected a value, or no key at all"]),
        ([], ["rulebook: `[]` does not fit here; expected keys with values"]),
        (
            {"version": 2, "rules": [{"name": "a", "match": {"repositories": ["**"]}, "final": True}]},
            ["version: `2` is not known here; expected 1"],
        ),
        (
            {"version": "1", "rules": [{"name": "a", "match": {"repositories": ["**"]}, "final": True}]},
            ["version: `1` is not known here; expected 1 without quotes"],
        ),
    ],
)
def test_the_reason_is_told_when_the_rulebook_is_wrong_as_a_whole(problems_of, data, told):
    assert problems_of(data) == told


def test_a_misspelt_key_is_told_once_when_it_is_a_required_one(problems_of):
    (told,) = problems_of({"version": 1, "rules": [{"nmae": "a", "match": {"repositories": ["**"]}}]})

    assert told.startswith("rules[0].nmae: unknown key `nmae`; did you mean `name`?")


def test_both_rules_are_named_when_two_share_a_name_and_a_match(with_rule, problems_of):
    data = with_rule()
    data["rules"] *= 2

    assert problems_of(data) == [
        "rules[1].name: there is a rule `services` already: rules[0]",
        "rules[1].image_tags: this never decides anything: `services` above matches all that this rule does and says "
        "it; expected this rule above `services`, or the key in one of the two",
    ]


def test_all_problems_are_told_at_once_when_rules_are_wrong_in_different_ways(with_rule, problems_of):
    data = with_rule(mode="enforced", image_tags={"deny": ["["]})
    data["rules"].append(
        {"name": "b", "match": {"repositories": ["b"]}, "image_tags": {"allow": ["x*"], "deny": ["x*"]}}
    )

    assert [told.partition(": ")[0] for told in problems_of(data)] == [
        "rules[0].mode",
        "rules[0].image_tags.deny[0]",
        "rules[1].image_tags.deny[0]",
    ]


def aliases_with(template, immutable, *filters):
    return {
        "image_tags": {"aliases": {"from": "semver", "add": [template]}},
        "repository": {"mutability": {"immutable": immutable, "except": list(filters)}},
    }


@pytest.mark.parametrize(
    ("template", "proposal"),
    [
        ("{major}.{minor}-latest", 'mutability: {immutable: true, except: ["*-latest"]}'),
        ("release-{major}", 'mutability: {immutable: true, except: ["release-*"]}'),
        ("stable", 'mutability: {immutable: true, except: ["stable"]}'),
        ("v{major}", 'an alias that looks like no release, such as {major}-latest with except: ["*-latest"]'),
    ],
)
def test_a_filter_is_proposed_when_an_alias_could_not_move(with_rule, problems_of, template, proposal):
    assert problems_of(with_rule(**aliases_with(template, True))) == [
        f"rules[0].image_tags.aliases.add[0]: `{template}` cannot move: image tags are immutable here and "
        f"no exception covers it; expected {proposal}"
    ]


def test_an_exception_is_refused_when_it_would_let_releases_be_overwritten(with_rule, problems_of):
    assert problems_of(with_rule(**aliases_with("v{major}", True, "v*"))) == [
        "rules[0].repository.mutability.except[0]: `v*` also covers releases such as 1.4.2, which then could be "
        "overwritten; expected an exception that covers the aliases alone, such as *-latest"
    ]


def test_an_alias_is_refused_when_an_exception_makes_it_immutable(with_rule, problems_of):
    (told,) = problems_of(with_rule(**aliases_with("{major}-latest", False, "1-*")))

    assert "`{major}-latest` cannot move: `1-*` makes it immutable" in told


def test_aliases_are_accepted_when_one_exception_covers_them(with_rule, problems_of):
    assert problems_of(with_rule(**aliases_with("{major}-latest", True, "pr-*", "*-latest"))) == []


def test_a_policy_is_refused_when_ecr_would_find_it_too_long(with_rule, problems_of):
    roles = [f"role/{'deployer' * 20}{number}" for number in range(60)]

    (told,) = problems_of(with_rule(repository={"policy": {"pull": roles}}))

    assert "expected at most 10240, as ECR takes them" in told


def test_a_statement_is_refused_when_its_sid_is_taken(with_rule, problems_of):
    statement = {"Sid": "Pull", "Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}

    told = problems_of(with_rule(repository={"policy": {"pull": ["account"], "statements": [statement]}}))

    assert told == [
        "rules[0].repository.policy.statements[0].Sid: `Pull` is the Sid of another statement of this policy"
    ]
