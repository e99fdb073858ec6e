"""README and CONTRIBUTING say nothing that is not so."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "packages").glob("*/*.md")),
    *sorted((ROOT / "packages" / "local-ecr" / "docs").glob("*.md")),
    ROOT / "layers" / "core" / "README.md",
]


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def test_every_link_leads_somewhere_when_followed() -> None:
    links = [
        (document, link)
        for document in DOCUMENTS
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text(encoding="utf-8"))
        if "://" not in link
    ]

    assert len(links) > len(DOCUMENTS)
    assert [f"{document.name}: {link}" for document, link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS[:2], ids=lambda path: path.name)
def test_every_make_target_exists_when_it_is_named(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^|`)make ([a-z][a-z -]*)", text, re.MULTILINE))
    words = {word for words in named for word in words.split()}

    assert words
    assert words - targets() == set()


def test_readme_names_every_function_and_parameter_when_there_is_one() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    functions = [folder.name for folder in (ROOT / "functions").iterdir() if (folder / "app.py").exists()]
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    parameters = re.findall(r"^  ([A-Z]\w+):\n    Type: (?:String|Number)\n    Default: (.+)$", template, re.MULTILINE)

    assert functions
    assert parameters
    assert [name for name in functions if f"| [`{name}`]" not in readme] == []
    assert [(name, default) for name, default in parameters if f"| `{name}` | `{default}` |" not in readme] == []
