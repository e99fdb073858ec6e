"""How large a rulebook may be. ``validate`` and the functions know the same limits.

At every one of them a rulebook is read within seconds and 200 MiB, as `benchmarks/worst_rulebooks.py` measures.
"""

from typing import Final

LARGEST_COMPILED: Final = 1024 * 1024
"""Bytes of a compiled rulebook."""
MOST_RULES: Final = 1_000
"""Entries of ``rules``, and of ``profiles``."""
MOST_WAIVERS: Final = 5_000
MOST_ENTRIES: Final = 200
"""Entries of ``registries``, of ``credentials``, and of any list within a rule that holds patterns."""
MOST_PATTERNS: Final = 10_000
"""Different patterns of a rulebook: more of them are compiled again and again."""
MOST_PROBLEMS: Final = 100
"""Problems that are reported at once."""
