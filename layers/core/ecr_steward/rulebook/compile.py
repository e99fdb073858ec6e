"""From the rulebook to the rules: patterns become matchers, words become the documents that ECR takes."""

from dataclasses import replace
from functools import partial

from ecr_steward.domain import rules
from ecr_steward.domain.scans import Severity, Verdict
from ecr_steward.rulebook import model
from ecr_steward.rulebook.brake import brake_of
from ecr_steward.rulebook.compile_copies import copying_rule
from ecr_steward.rulebook.compile_registries import protected_by_rule, registry_rule, settings_by_rule
from ecr_steward.rulebook.compile_settings import settings_of
from ecr_steward.rulebook.credentials import Credential
from ecr_steward.rulebook.inheritance import resolve
from ecr_steward.rulebook.patterns import repository_matcher, star_matcher
from ecr_steward.rulebook.scans import Scan
from ecr_steward.rulebook.waivers import Waiver


def compile_rulebook(rulebook: model.Rulebook) -> rules.Rules:
    """Compile a rulebook that validated."""
    resolved = resolve(rulebook)
    settings = settings_by_rule(resolved.rules, rulebook.defaults)
    protected = protected_by_rule(resolved.rules, rulebook.defaults)
    return rules.Rules(
        rules=tuple(map(_rule, resolved.rules)),
        waivers=tuple(map(_waiver, rulebook.waivers)),
        credentials=tuple(map(_credential, rulebook.credentials)),
        defaults=_rule(resolved.defaults) if resolved.defaults else None,
        infrastructure_code={
            key: tuple(map(star_matcher, values)) for key, values in rulebook.infrastructure_code.items()
        },
        code_owns=frozenset(map(rules.Owned, rulebook.infrastructure_code_owns)),
        registries=tuple(registry_rule(entry, settings, protected) for entry in rulebook.registries),
    )


def _rule(rule: model.Rule) -> rules.Rule:
    return replace(
        copying_rule(rule),
        repository=settings_of(rule.repository) if rule.repository else None,
        protecting=partial(settings_of, rule.repository) if rule.repository else None,
        scan=_scan_rules(rule.scan) if rule.scan else None,
        brake=brake_of(rule.brake),
    )


def _scan_rules(scan: Scan) -> rules.ScanRules:
    verdicts = {key: Verdict(getattr(scan, key)) for key in type(scan).model_fields if key != "fail_on"}
    return rules.ScanRules(Severity[scan.fail_on.severity], **verdicts)


def _waiver(waiver: Waiver) -> rules.Waiver:
    return rules.Waiver(
        finding=waiver.finding,
        repositories=tuple(map(repository_matcher, waiver.repositories)),
        until=waiver.until,
        reason=waiver.reason,
        owner=waiver.owner,
    )


def _credential(credential: Credential) -> rules.Credential:
    return rules.Credential(
        name=credential.name,
        role=credential.role,
        registries=tuple(rules.CredentialRegistry(of.account, of.region) for of in credential.registries),
        sinks=tuple(
            rules.SecretSink(sink.secretsmanager, rules.SecretFormat(sink.format)) for sink in credential.sinks
        ),
    )
