"""What holds for every policy and every repository."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from local_ecr.lifecycle.plan import DAY, ImageFacts, plan
from local_ecr.lifecycle.policy import Rule
from local_ecr.names import Digest

NOW = 1_800_000_000.0
TAGS = ("dev-1", "dev-2", "prod-1", "prod-2", "latest")
PATTERNS = ("dev*", "prod*", "*1", "latest", "*")

moments = st.integers(0, 40).map(lambda days: NOW - days * DAY)


@st.composite
def rules_of(draw, priority):
    """A rule as the grammar has it."""
    kind = draw(st.sampled_from(["count", "pushed", "pulled", "transitioned"]))
    status = draw(st.sampled_from(["tagged", "untagged", "any"]))
    patterns = draw(st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=2, unique=True))
    names = {"count": "imageCountMoreThan"}
    action = {"pulled": "TRANSITION", "transitioned": "EXPIRE"}.get(kind)
    return Rule(
        priority=priority,
        tag_status=status,
        tag_prefixes=(),
        tag_patterns=tuple(patterns) if status == "tagged" else (),
        storage_class="ARCHIVE" if kind == "transitioned" else "STANDARD",
        count_type=names.get(kind, f"sinceImage{kind.capitalize()}"),
        count_number=draw(st.integers(90, 120)) if kind == "transitioned" else draw(st.integers(1, 6)),
        action=action or draw(st.sampled_from(["EXPIRE", "TRANSITION"])),
    )


@st.composite
def policies(draw):
    return tuple(draw(rules_of(priority)) for priority in range(1, draw(st.integers(1, 4)) + 1))


@st.composite
def repositories(draw):
    """Images whose tags are each on one of them; index number n lists some of the images before it."""
    count = draw(st.integers(0, 12))
    holders = draw(st.lists(st.integers(0, 11), min_size=len(TAGS), max_size=len(TAGS)))
    images, listings = [], {}
    for number in range(count):
        is_archived = draw(st.booleans())
        images.append(
            ImageFacts(
                id=number,
                digest=Digest(f"sha256:{number}"),
                image_tags=tuple(tag for tag, holder in zip(TAGS, holders, strict=True) if holder == number),
                pushed_at=draw(moments),
                storage_class="ARCHIVE" if is_archived else "STANDARD",
                last_pulled_at=draw(st.none() | moments),
                archived_at=NOW - draw(st.integers(0, 200)) * DAY if is_archived else None,
                activated_at=draw(st.none() | moments),
            )
        )
        listings[number] = draw(st.sets(st.integers(0, number - 1), max_size=2)) if number else set()
    return with_listings(images, listings), listings


def with_listings(images, listings):
    """The images, each with the class of the indexes that list it."""
    classes = {image.id: image.storage_class for image in images}

    def listed_in(image):
        found = {classes[index] for index, listed in listings.items() if image.id in listed and index in classes}
        return "STANDARD" if "STANDARD" in found else "ARCHIVE" if found else None

    return [replace(image, listed_in=listed_in(image)) for image in images]


def applied(images, listings, steps):
    """The repository after the plan was carried out."""
    fates = {step.image.id: step.action for step in steps}
    left = [
        replace(image, storage_class="ARCHIVE", archived_at=NOW) if fates.get(image.id) else image
        for image in images
        if fates.get(image.id) != "EXPIRE"
    ]
    return with_listings(left, listings)


@given(repositories(), policies())
def test_an_image_is_acted_on_by_at_most_one_rule_and_by_the_first_that_selects_it(repository, rules):
    images, _ = repository
    steps = plan(images, rules, NOW)
    assert len({step.image.id for step in steps}) == len(steps)
    for step in steps:
        selecting = [
            rule.priority
            for rule in rules
            if rule.storage_class == step.image.storage_class and rule.selects(step.image.image_tags)
        ]
        assert step.rule_priority == min(selecting)


@given(repositories(), policies())
def test_what_a_live_index_lists_never_goes_and_what_any_index_lists_is_never_deleted(repository, rules):
    images, _ = repository
    for step in plan(images, rules, NOW):
        assert step.image.listed_in != "STANDARD"
        assert not (step.action == "EXPIRE" and step.image.listed_in)


@given(repositories(), policies())
def test_the_run_after_a_run_takes_only_what_an_index_had_kept_and_runs_come_to_rest(repository, rules):
    images, listings = repository
    steps = plan(images, rules, NOW)
    for _ in range(len(images) + 1):
        images = applied(images, listings, steps)
        kept = {child for step in steps for child in listings[step.image.id]}
        steps = plan(images, rules, NOW)
        freed = {image.id for image in images if image.id in kept}
        if not freed:
            assert steps == []
    assert steps == []


@given(repositories(), policies())
def test_the_second_run_does_nothing_when_there_is_no_index(repository, rules):
    images = [replace(image, listed_in=None) for image in repository[0]]
    assert plan(applied(images, {}, plan(images, rules, NOW)), rules, NOW) == []


@given(repositories(), rules_of(1), st.integers(1, 3))
def test_a_lower_number_never_keeps_more(repository, rule, less):
    images, _ = repository
    lower = replace(rule, count_number=max(1, rule.count_number - less))
    assert {step.image.id for step in plan(images, [rule], NOW)} <= {
        step.image.id for step in plan(images, [lower], NOW)
    }


@given(repositories(), policies(), st.randoms())
def test_a_plan_does_not_depend_on_the_order_in_which_images_are_read(repository, rules, random):
    images, _ = repository
    shuffled = list(images)
    random.shuffle(shuffled)
    assert plan(shuffled, rules, NOW) == plan(images, rules, NOW)


@given(repositories(), policies())
def test_older_images_go_before_younger_ones(repository, rules):
    images, _ = repository
    steps = plan(images, rules, NOW)
    for storage_class in ("STANDARD", "ARCHIVE"):
        of_class = [step.image for step in steps if step.image.storage_class == storage_class]
        moments_ = [one.archived_at if storage_class == "ARCHIVE" else one.came_at for one in of_class]
        assert moments_ == sorted(moments_)
