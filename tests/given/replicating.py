"""Rulebooks in which rules and ECR itself replicate, and what speaks against a copy by them."""

from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.one_source import OneSource
from ecr_steward.domain.rules import Rules
from ecr_steward.rulebook.compile_copies import copying_rule
from ecr_steward.rulebook.compile_registries import replicating_rule
from ecr_steward.rulebook.model import Rulebook
from ecr_steward.rulebook.validate import validate

ONE, TWO, THREE = "111122223333", "222233334444", "333344445555"
HERE, AWAY, FAR = {"region": "us-east-1"}, {"region": "eu-west-1"}, {"region": "ap-south-1"}
US, EU, AP = (RegistryRef(ONE, each["region"]) for each in (HERE, AWAY, FAR))
REGIONS = [each["region"] for each in (HERE, AWAY, FAR)]


def copying(name, match, *to, **keys):
    """A rule that copies what it matches."""
    return {"name": name, "match": {"repositories": ["team/**"], **match}, "replicate": [{"to": list(to)}], **keys}


def replicating(name, match, *to, prefixes=(), **keys):
    """An entry that has ECR replicate."""
    rule = {"to": list(to), "repositories": list(prefixes)}
    return {"name": name, "match": match, "replication": {"rules": [rule]}, **keys}


def rulebook(rules, registries):
    return {"version": 1, "rules": list(rules), "registries": list(registries)}


def found(rules, *registries):
    """Which destinations of rules are wrong, and how."""
    problems = validate(rulebook(rules, registries))[1]
    return [(f"{problem.path[1]}.{problem.path[3]}.{problem.path[5]}", problem.code.value) for problem in problems]


def only(rules, *registries):
    (problem,) = validate(rulebook(rules, registries))[1]
    return str(problem)


def own(rules, registries, *homes):
    """What a steward of these homes looks at before it copies."""
    read = Rulebook.model_validate(rulebook(rules, registries))
    entries = tuple(map(replicating_rule, read.registries))
    return OneSource(Rules(tuple(map(copying_rule, read.rules)), registries=entries), homes)


def objections(one_source, source):
    """What speaks against each copy from a repository."""
    return objections_to(one_source, source, one_source.asked_of(source))


def objections_to(one_source, source, copies):
    return [
        objection
        for asked in copies
        if (to := asked.arrival(source)) and to != source
        if (objection := one_source.objection(asked.rule, asked.replication, source, to))
    ]


RELEASE = {"repository": "release/{name}"}
FROM_US, FROM_EU = {"regions": ["us-east-1"]}, {"regions": ["eu-west-1"]}
