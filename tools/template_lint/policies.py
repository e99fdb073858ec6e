"""parliament over the policies of templates: `policies.py FOLDER` prints what it finds, as JSON, a line each.

It runs in an environment of its own (requirements/lint.in), so it imports nothing of ours.
"""

import json
import sys
from pathlib import Path
from typing import Any

from parliament import analyze_policy_string  # type: ignore[import-not-found]  # it lives in .tools/lint


def main() -> None:
    """Read each template of a folder, whose references are resolved already."""
    for file in sorted(Path(sys.argv[1]).glob("*.json")):
        resources: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))["Resources"]
        for name, resource in resources.items():
            for policy in resource.get("Properties", {}).get("Policies", []):
                for found in analyze_policy_string(json.dumps(policy["PolicyDocument"])).findings:
                    subjects = (
                        found.detail if isinstance(found.detail, list) else [str(found.detail).rpartition(" ")[2]]
                    )
                    for subject in subjects:
                        of_what = subject["action"] if isinstance(subject, dict) else subject
                        print(json.dumps([f"parliament {found.issue}", file.stem, name, of_what]))


main()
