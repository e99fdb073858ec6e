"""``python -m mutants.pick``: draw faults in place of those whose line is gone, and write ``faults.toml``.

Operators are cosmic-ray's, so this runs in its own environment; templates, which it cannot read, have rules of ours.
A seed decides: the same sources give the same faults.
"""

import argparse
import json
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

from mutants.faults import FAULTS, Fault, Gone, Room, read_faults, read_rooms

ROOT = Path(__file__).parents[2]
FAMILIES = {
    "ReplaceComparisonOperator_": 4,
    "AddNot": 3,
    "NumberReplacer": 3,
    "ReplaceBinaryOperator_(?!BitOr)": 3,  # most of these are types: `X | None`
    "ReplaceAndWithOr|ReplaceOrWithAnd": 3,
    "ReplaceTrueWithFalse|ReplaceFalseWithTrue": 2,
    "ReplaceUnaryOperator_": 1,
    "ReplaceBreakWithContinue|ReplaceContinueWithBreak": 1,
    "ExceptionReplacer": 1,
    "ZeroIterationForLoop": 1,
}
"""Operators by their names, and how often one of them is tried: without weights most faults would be comparisons."""
UNHEARD = re.compile(r"frozen=|strict=|lru_cache|indent=")
"""Lines in which a fault changes nothing that a caller sees: all that these words guard against is other faults."""
TEMPLATE_RULES = {
    "RemoveAction": (r" +- (ecr|sqs|sts|events|dynamodb|s3|iam|secretsmanager):\w+( #.*)?", ""),
    "WidenResource": (r"( +Resource: )!(GetAtt|Sub) .*", r'\1"*"'),
    "RemoveCondition": (r" +(Condition: \{.*|StringEquals: .*|ArnEquals: .*)", ""),
    "RemoveDeadLetterQueue": (r" +DeadLetterConfig: .*", ""),
    "ShortenRetention": (r"( +MessageRetentionPeriod: )1209600(.*)", r"\g<1>345600\2"),
    "ShortenVisibility": (r"( +VisibilityTimeout: )\d+(.*)", r"\g<1>30\2"),
    "LengthenTimeout": (r"( +Timeout: )\d+(.*)", r"\g<1>900\2"),
    "RetryOnce": (r"( +maxReceiveCount: )\d+(.*)", r"\g<1>1\2"),
    "ChangeBatch": (r"( +BatchSize: )\d+(.*)", r"\g<1>10000\2"),
    "ChangePattern": (r"( +(?:result|action-type|sync-status|detail-type|source): \[)[^\]]+(\].*)", r"\1ELSE\2"),
    "FailWholeBatch": (r" +FunctionResponseTypes: .*", ""),
    "RemoveVariable": (r" +(ECR_STEWARD_\w+|POWERTOOLS_\w+): .*", ""),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m mutants.pick", description=__doc__)
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--anew", action="store_true", help="draw all faults, not only those whose line is gone")
    parser.add_argument("--room", action="append", help="draw for this room alone")
    arguments = parser.parse_args()
    there = read_faults() if FAULTS.exists() else []
    faults: list[Fault] = []
    for room in read_rooms().values():
        of_room = [fault for fault in there if fault.room == room.name]
        if arguments.room and room.name not in arguments.room:
            faults += of_room
            continue
        kept = [] if arguments.anew else [fault for fault in of_room if _is_there(fault)]
        drawn = list(pick(room, of_room if kept else [], len(kept), random.Random(f"{arguments.seed} {room.name}")))  # noqa: S311
        faults += kept + drawn
        print(f"{room.name}: {len(drawn)} drawn, {len(kept)} kept")
    FAULTS.write_text("\n".join(map(_as_toml, faults)), encoding="utf-8")


def pick(room: Room, known: Sequence[Fault], kept: int, chance: random.Random) -> Iterator[Fault]:
    """As many faults as the room still lacks, in other lines than the known ones, whose ids are not used again."""
    files = list(room.files_in(ROOT))
    is_template = files[0].suffix == ".yaml"
    found = _in_templates(files, chance) if is_template else _in_code(files, chance)
    taken = {(fault.file, fault.before, fault.which) for fault in known}
    number = max((int(fault.id.rpartition("-")[2]) for fault in known), default=0)
    for _ in range(room.faults - kept):
        for file, operator, text, line, after in found:
            lines = text.splitlines()
            before = lines[line - 1]
            which = lines[:line].count(before)
            place = (str(file.relative_to(ROOT)), before, which)
            if place not in taken and (is_template or lines.count(before) == 1) and not UNHEARD.search(before):
                taken.add(place)
                number += 1
                yield Fault(
                    f"{room.name.replace(' ', '-')}-{number:02}", room.name, place[0], operator, before, after, which
                )
                break


def _is_there(fault: Fault) -> bool:
    try:
        fault.line_in((ROOT / fault.file).read_text(encoding="utf-8"))
    except (Gone, FileNotFoundError):
        return False
    return True


def _in_code(files: Sequence[Path], chance: random.Random) -> Iterator[tuple[Path, str, str, int, str]]:
    names = {family: [name for name in operator_names() if re.match(f"core/({family})", name)] for family in FAMILIES}
    texts = {file: file.read_text(encoding="utf-8") for file in files}
    trees = {file: get_ast(text) for file, text in texts.items()}
    sizes = [len(text) for text in texts.values()]
    while True:
        (file,) = chance.choices(list(texts), weights=sizes)
        (family,) = chance.choices(list(FAMILIES), weights=list(FAMILIES.values()))
        name = chance.choice(names[family])
        operator = get_operator(name)()
        places = sum(len(list(operator.mutation_positions(node))) for node in ast_nodes(trees[file]))
        if places and (mutated := mutate_code(texts[file], operator, chance.randrange(places))):
            change = _only_line(texts[file], mutated)
            if change and _compiles(mutated):
                yield file, name, texts[file], *change


def _only_line(text: str, mutated: str) -> tuple[int, str] | None:
    """The number of the one line that differs and what it became; None where there is another number of them."""
    before, after = text.splitlines(), mutated.splitlines()
    differ = [number for number, pair in enumerate(zip(before, after, strict=False), start=1) if pair[0] != pair[1]]
    return (differ[0], after[differ[0] - 1]) if len(before) == len(after) and len(differ) == 1 else None


def _compiles(code: str) -> bool:
    try:
        compile(code, "mutated", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


def _in_templates(files: Sequence[Path], chance: random.Random) -> Iterator[tuple[Path, str, str, int, str]]:
    """One after the other of each rule, so that none is left out for another that has more lines."""
    matches: dict[str, list[tuple[Path, str, str, int, str]]] = {rule: [] for rule in TEMPLATE_RULES}
    for file in files:
        text = file.read_text(encoding="utf-8")
        for number, line in enumerate(text.splitlines(), start=1):
            for rule, (pattern, replacement) in TEMPLATE_RULES.items():
                if re.fullmatch(pattern, line) and (after := re.sub(pattern, replacement, line)) != line:
                    matches[rule].append((file, f"template/{rule}", text, number, after))
    for found in matches.values():
        chance.shuffle(found)
    while any(matches.values()):
        for found in matches.values():
            if found:
                yield found.pop()


def _as_toml(fault: Fault) -> str:
    entry = {key: value for key, value in vars(fault).items() if key != "id" and value not in ("", 1)}
    entry.setdefault("after", "")
    return "\n".join([f"[{fault.id}]", *(f"{key} = {json.dumps(entry[key], ensure_ascii=False)}" for key in entry), ""])


if __name__ == "__main__":
    main()
