"""Patterns that explode elsewhere, through the whole path: validated, compiled, and asked about a repository's tags."""

import pytest

from ecr_steward.domain.images import Image, RepositoryImages
from ecr_steward.domain.names import Digest, ImageRef, ImageTag, RegistryRef, RepositoryRef
from ecr_steward.domain.tag_plan import plan_image_tags
from ecr_steward.rulebook.compile import compile_rulebook
from ecr_steward.rulebook.validate import validate

REPOSITORY = RepositoryRef(RegistryRef("111122223333", "us-east-1"), "a/" * 127 + "c")
EXPLODING = [
    "(a+)+b",
    "(a|aa)*c",
    "(a*)*b",
    "(.*)(.*)(.*)(.*)(.*)x",
    "([a-z]+)*Z",
    "(x+x+)+y",
    "(a?){500}a{500}b",
    "((a{1,30}){1,30})b",
    "(?i)(\\w{0,33}){0,30}!",
    "a*" * 400 + "b",
    "(" * 100 + "a" + ")*" * 100 + "b",
]


def images(count):
    """A repository of images with tags as long as ECR takes them."""
    found = [
        Image(
            ImageRef(REPOSITORY, Digest(f"sha256:{number:064x}")),
            frozenset({ImageTag(f"{'a' * 296}{number:04}".replace("0", "a"))}),
        )
        for number in range(count)
    ]
    return RepositoryImages.of(REPOSITORY, found)


@pytest.mark.parametrize("pattern", EXPLODING, ids=lambda pattern: pattern[:24])
@pytest.mark.parametrize("key", ["allow", "deny", "protect"])
def test_a_pattern_is_decided_when_it_explodes_elsewhere(with_rule, pattern, key):
    rulebook, problems = validate(with_rule(image_tags={key: [{"regex": pattern}], "on_violation": "untag"}))
    assert problems == ()
    rule = compile_rulebook(rulebook).governing(REPOSITORY, {}).image_tags
    plan = plan_image_tags(rule, images(20), images(20).digests)

    assert len(plan.violations) == (20 if key == "allow" else 0)


@pytest.mark.parametrize("template", ["{major}{minor}" * 20 + "x", "{major}1" * 30 + "x"])
def test_an_alias_is_decided_when_its_template_is_ambiguous(with_rule, template):
    rulebook, problems = validate(with_rule(image_tags={"aliases": {"from": "semver", "add": [template]}}))
    assert problems == ()
    aliases = compile_rulebook(rulebook).governing(REPOSITORY, {}).image_tags.image_tags.aliases

    assert not aliases.forms[0].matches("1" * 300)
    assert aliases.forms[0].matches("1" * 299 + "x")


@pytest.mark.parametrize("glob", ["**/a/" * 40 + "b", "/".join(["*a*"] * 60), "*a" * 100 + "b", "**/" * 80 + "b"])
@pytest.mark.parametrize("key", ["repositories", "exclude"])
def test_a_glob_is_decided_when_it_explodes_elsewhere(with_rule, glob, key):
    match = {"repositories": ["**"], key: [glob]}
    rulebook, problems = validate(with_rule(match=match, image_tags={"deny": ["latest"]}))
    assert problems == ()
    governing = compile_rulebook(rulebook).governing(REPOSITORY, {})

    assert (governing.image_tags is None) is (key == "repositories")


@pytest.mark.parametrize("pattern", ["(\\pL{500}){2}", "(a{1000}){1000}", "((((.{1,50}){1,50}){1,50}){1,50})", "(a"])
def test_a_pattern_is_refused_when_it_would_grow_too_large(with_rule, problems_of, pattern):
    (told,) = problems_of(with_rule(image_tags={"deny": [{"regex": pattern}]}))

    assert "RE2 refuses this regular expression" in told
