"""Whatever a registry is set to, one plan brings it to the rulebook, and leaves to others what is theirs."""

from collections import Counter

from hypothesis import given, settings

from ecr_steward.adapters.memory import InMemoryRegistry, InMemoryRegistrySettings
from ecr_steward.domain.registries import RegistrySettings, WantedSettings
from ecr_steward.domain.registry_governance import plan_registry
from ecr_steward.usecases.apply import apply_plan
from tests.given.registry_worlds import SETTINGS, WANTED
from tests.given.rules import HOME

EXAMPLES = settings(max_examples=2 * settings().max_examples, derandomize=True)
tally: Counter[str] = Counter()


@EXAMPLES
@given(WANTED, SETTINGS)
def test_the_second_plan_is_empty_when_the_first_was_applied(wanted: WantedSettings, actual: RegistrySettings) -> None:
    store = InMemoryRegistrySettings({HOME: actual})

    plan = plan_registry("all", HOME, wanted, actual)
    apply_plan(plan, InMemoryRegistry(), settings=store)

    tally.update(planned=1, empty=plan.is_empty)
    assert plan_registry("all", HOME, wanted, store.settings_of(HOME)).steps == ()


@EXAMPLES
@given(WANTED, SETTINGS)
def test_what_others_have_set_stays_when_the_rulebook_keeps_it(
    wanted: WantedSettings, actual: RegistrySettings
) -> None:
    store = InMemoryRegistrySettings({HOME: actual})

    apply_plan(plan_registry("all", HOME, wanted, actual), InMemoryRegistry(), settings=store)

    after = store.settings_of(HOME)
    if wanted.policy and wanted.policy.keeps_foreign:
        before = (actual.policy or {}).get("Statement", [])
        foreign = [one for one in before if not str(one.get("Sid", "")).startswith("EcrSteward")]
        assert all(one in (after.policy or {})["Statement"] for one in foreign)
    if wanted.replication and wanted.replication.keeps_foreign:
        named = {tuple(rule.prefixes) for rule in wanted.replication.rules}
        rules = actual.replication["rules"]
        foreign = [
            one for one in rules if tuple(each["filter"] for each in one.get("repositoryFilters", [])) not in named
        ]
        assert all(one in after.replication["rules"] for one in foreign)
    assert actual.creation_templates.keys() <= after.creation_templates.keys()


def test_most_of_the_generated_registries_planned_something() -> None:
    assert tally["planned"] >= 2 * tally["empty"]
