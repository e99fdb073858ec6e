"""What is asked for, in our words: the same as Cloud Custodian's policies, and everything at once."""

from __future__ import annotations

import yaml

from ecr_steward.rulebook.load import dump_compiled
from ecr_steward.rulebook.validate import validate

SAME_AS_CUSTODIAN = """\
version: 1
rules:
  - name: teams
    match: {repositories: ["team-*/**"]}
    mode: enforce
    repository:
      lifecycle: [{expire: {untagged: true, after: 14d}}]
      mutability: {immutable: true}
      scanning: on_push
"""
"""Settings that Cloud Custodian has actions for, too."""

EVERYTHING = """\
version: 1
rules:
  - name: teams
    match: {repositories: ["team-*/**"]}
    mode: enforce
    image_tags:
      allow: [{regex: 'v\\d+'}]
      on_violation: notify
    repository:
      policy: {pull: [account]}
      lifecycle: [{keep: {newest: 30, tags: ["v*"]}}, {expire: {untagged: true, after: 14d}}]
      mutability: {immutable: true}
      scanning: on_push
      resource_tags: {managed-by: ecr-steward}
"""
"""Every setting of a repository, and its image tags."""

IMAGES = """\
version: 1
rules:
  - name: teams
    match: {repositories: ["team-*/**"]}
    mode: enforce
    image_tags:
      allow: [{regex: 'v\\d+'}]
      on_violation: notify
    repository:
      lifecycle: [{keep: {newest: 30, tags: ["v*"]}}, {expire: {untagged: true, after: 14d}}]
"""
"""What asks for all images of a repository."""

COPIES = """\
version: 1
rules:
  - name: teams
    match: {repositories: ["team-*/**"]}
    mode: enforce
    replicate: [{to: [{region: eu-west-1}]}]
"""
"""A copy of everything in another region."""


RELEASES = """\
version: 1
rules:
  - name: teams
    match: {repositories: ["team-*/**"]}
    mode: enforce
    image_tags:
      allow: [{regex: 'v\\d+'}, waiting]
      on_violation: quarantine
    scan: {fail_on: {severity: HIGH}}
    replicate: [{to: [{region: eu-west-1}], when: [scan_passed]}]
"""
"""What passed its scan is copied, and what has another image tag is quarantined."""


DESCRIBED = """\
version: 1
rules:
  - name: teams
    match: {repositories: ["team-*/**"]}
    mode: enforce
    image_tags:
      allow: [{regex: 'v\\d+'}]
      labels: {required: [team]}
      companions: {required: [{artifact_type: application/spdx+json}]}
      on_violation: notify
    scan: {fail_on: {severity: HIGH}}
    replicate: [{to: [{region: eu-west-1}], when: [scan_passed]}]
"""
"""Images say whose they are and bring an SBOM along, and are copied once they passed their scan."""


LARGE = """\
version: 1
rules:
  - name: teams
    match: {repositories: ["team-*/**"]}
    mode: enforce
    image_tags:
      allow: [{regex: 'v\\d+'}]
      labels: {required: [team]}
      on_violation: notify
    repository: {lifecycle: [{expire: {untagged: true, after: 14d}}]}
    scan: {fail_on: {severity: HIGH}}
    replicate: [{to: [{region: eu-west-1}], when: [scan_passed]}]
"""
"""What is asked of each image, and what of each repository."""

JUDGED = """\
version: 1
rules:
  - name: teams
    match: {repositories: ["team-*/**"]}
    mode: enforce
    scan: {fail_on: {severity: HIGH}}
"""
"""Only scans."""

VERSIONS = """\
version: 1
rules:
  - name: teams
    match: {repositories: ["team-*/**"]}
    mode: enforce
    image_tags:
      allow: [semver]
      deny: [latest, "*.*.*-latest"]
      aliases: {from: semver, add: ["{major}.{minor}-latest", "{major}-latest"]}
      on_violation: quarantine
    repository:
      policy: {pull: [account]}
      lifecycle: [{keep: {newest: 30, tags: ["*.*.*"]}}, {expire: {untagged: true, after: 14d}}]
      mutability: {immutable: true, except: ["*-latest"]}
      scanning: on_push
      resource_tags: {managed-by: ecr-steward}
    replicate: [{to: [{region: eu-west-1}], referrers: true}]
"""
"""The rule `services` of the example rulebook."""

VERSIONS_AFTER_SCANS = VERSIONS.replace(
    "referrers: true}]\n", "referrers: true, when: [scan_passed]}]\n    scan: {fail_on: {severity: HIGH}}\n"
)
"""The same, where only what passed its scan is copied."""


def compiled(rulebook: str) -> str:
    """A rulebook as the functions read it. Raises ValueError where it does not validate."""
    found, problems = validate(yaml.safe_load(rulebook))
    if found is None:
        raise ValueError("; ".join(map(str, problems)))
    return dump_compiled(found, "ecr-steward.yaml", rulebook.encode())
