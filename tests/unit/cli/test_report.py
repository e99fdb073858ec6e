"""What people see: the exact text for a handful of mistakes."""

import io
from datetime import date

import pytest

from ecr_steward_cli.report import show_findings
from ecr_steward_cli.rulebook_commands import validate_files

TODAY = date(2026, 8, 21)


@pytest.fixture
def shown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def show(source):
        path = tmp_path / "r.yaml"
        path.write_bytes(source if isinstance(source, bytes) else source.encode())
        out = io.StringIO()
        show_findings(validate_files([path.relative_to(tmp_path)], TODAY), out)
        return out.getvalue()

    return show


def test_the_right_key_is_named_when_one_is_misspelt(shown):
    source = (
        "version: 1\nrules:\n  - name: services\n    mach: {repositories: ['**']}\n    match: {repositories: ['**']}\n"
    )

    assert shown(source) == (
        "r.yaml:4:5: ES101 unknown key `mach`\n"
        "   |\n"
        " 4 |     mach: {repositories: ['**']}\n"
        "   |     ^^^^ did you mean `match`?\n"
        "   = expected one of name, match, extends, final, mode, brake, image_tags, repository, scan, replicate\n"
        "\n"
    )


def test_the_right_value_is_named_when_one_is_misspelt(shown):
    source = "version: 1\nrules:\n- {name: a, match: {repositories: ['**']}, mode: enforced}\n"

    assert shown(source) == (
        "r.yaml:3:50: ES104 `enforced` is not known here\n"
        "   |\n"
        " 3 | - {name: a, match: {repositories: ['**']}, mode: enforced}\n"
        "   |                                                  ^^^^^^^^ did you mean `enforce`?\n"
        "   = expected observe or enforce\n"
        "\n"
    )


def test_a_filter_is_proposed_when_an_alias_could_not_move(shown):
    source = (
        "version: 1\nrules:\n- name: a\n  match: {repositories: ['**']}\n  image_tags:\n    aliases:\n"
        "      from: semver\n      add:\n        - '{major}-latest'\n  repository: {mutability: {immutable: true}}\n"
    )

    assert shown(source) == (
        "r.yaml:9:11: ES305 `{major}-latest` cannot move: image tags are immutable here and no exception covers it\n"
        "   |\n"
        " 9 |         - '{major}-latest'\n"
        "   |           ^^^^^^^^^^^^^^^^\n"
        '   = expected mutability: {immutable: true, except: ["*-latest"]}\n'
        "\n"
    )


def test_the_section_to_add_is_named_when_a_copy_waits_for_a_verdict_that_never_comes(shown):
    source = (
        "version: 1\nrules:\n- name: a\n  match: {repositories: ['**']}\n"
        "  replicate:\n  - to: [{region: eu-west-1}]\n    when: [scan_passed]\n"
    )

    assert shown(source) == (
        "r.yaml:7:12: ES502 `scan_passed` waits for a verdict that no rule ever gives: none has `scan`\n"
        "   |\n"
        " 7 |     when: [scan_passed]\n"
        "   |            ^^^^^^^^^^^\n"
        "   = expected `scan: {fail_on: {severity: HIGH}}` in this rule, or no `when`\n"
        "\n"
    )


@pytest.mark.parametrize(
    ("entry", "places"),
    [
        (
            "waivers:\n- finding: cve-2026-1\n  repositories: [A]\n  until: 2027-02-30\n  reason: ''\n  ower: me\n",
            ["4:12", "5:18", "6:10", "7:11", "8:3"],
        ),
        (
            "credentials:\n- name: a\n  role: a/b\n  registries: [{region: x}]\n  sinks: [{secretsmanager: b}]\n",
            ["5:9", "6:25", "7:28"],
        ),
    ],
)
def test_every_place_is_shown_when_a_waiver_or_a_credential_is_wrong(shown, entry, places):
    text = shown("version: 1\nrules: [{name: a, match: {repositories: ['**']}, final: true}]\n" + entry)

    told = [line.split(": ")[0] for line in text.splitlines() if line.startswith("r.yaml")]
    assert told == [f"r.yaml:{place}" for place in places]


def test_a_waiver_is_shown_as_a_note_when_it_has_expired(shown):
    source = (
        "version: 1\nrules: [{name: a, match: {repositories: ['**']}, final: true}]\nwaivers:\n"
        "- {finding: CVE-2026-1234, repositories: ['**'], until: 2026-08-20, reason: not reachable}\n"
        "- {finding: CVE-2026-5678, repositories: ['**'], until: 2026-08-21, reason: not reachable}\n"
    )

    assert shown(source) == (
        "r.yaml:4:57: note: ES507 the waiver of `CVE-2026-1234` has expired\n"
        "   |\n"
        " 4 | - {finding: CVE-2026-1234, repositories: ['**'], until: 2026-08-20, reason: not reachable}\n"
        "   |                                                         ^^^^^^^^^^\n"
        "\n"
    )


def test_the_rule_is_shown_when_a_key_of_it_is_missing(shown):
    assert shown("version: 1\nrules:\n  - name: services\n") == (
        "r.yaml:3:5: ES102 `match` is missing\n   |\n 3 |   - name: services\n   |     ^^^^^^^^^^^^^^\n\n"
    )


def test_the_key_is_shown_when_it_has_no_value(shown):
    source = "version: 1\nrules:\n- name: a\n  match: {repositories: ['**']}\n  image_tags:\n"

    assert shown(source) == (
        "r.yaml:5:3: ES103 there is no value here\n   |\n 5 |   image_tags:\n   |   ^^^^^^^^^^\n"
        "   = expected a value, or no key at all\n\n"
    )


def test_both_lines_are_named_when_a_key_stands_twice(shown):
    assert shown("version: 1\nrules: []\nversion: 1\n") == (
        "r.yaml:3:1: ES012 the key `version` stands here twice: first in line 1\n"
        "   |\n 3 | version: 1\n   | ^^^^^^^\n\n"
    )


def test_findings_come_in_the_order_of_their_places_when_there_are_several(shown):
    source = "version: 2\nrules:\n- name: A B\n  match: {repositories: ['**'], region: []}\n  mode: x\n"

    places = [line.partition(": ")[0] for line in shown(source).splitlines() if line.startswith("r.yaml")]

    assert places == ["r.yaml:1:10", "r.yaml:3:9", "r.yaml:4:33", "r.yaml:5:9"]


def test_the_caret_stays_in_sight_when_a_line_is_very_long(shown):
    source = f"version: 1\nrules: [{{name: a, match: {{repositories: ['{'a' * 500}', 'UPPER']}}}}]\n"

    *_, message, _, line, caret, _ = shown(source).splitlines()

    assert message.startswith("r.yaml:2:546: ES204 `UPPER` can match no repository")
    assert len(line) < 180
    assert line[caret.index("^") : caret.rindex("^") + 1] == "'UPPER'"


def test_nothing_reaches_the_terminal_when_a_rulebook_holds_escapes(shown):
    text = shown('version: 1\nrules:\n- {name: "\\e[31m", match: {repositories: ["**"]}}\n')

    assert "does not fit here" in text
    assert "\x1b" not in text
