"""How large a rulebook may be. ``validate`` and the functions know the same limits.

At every one of them a rulebook is read within seconds and 200 MiB, as `benchmarks/worst_rulebooks.py` measures.
"""

from typing import Final

LARGEST_COMPILED: Final = 1024 * 1024
"""Bytes of a compiled rulebook."""
MOST_RULES: Final = 1_000
"""Entries of ``rules``, and of ``profiles``."""
MOST_WAIVERS: Final = 5_000
"""Entries of ``waivers``."""
MOST_ENTRIES: Final = 200
"""Entries of ``registries`` and of ``credentials``, and patterns in a list of a rule."""
MOST_PATTERNS: Final = 10_000
"""Texts in all lists of a rulebook, most of which are patterns: more matchers are not kept once they are compiled."""
MOST_VALUES: Final = 50_000
"""Values in a rulebook, whatever their kind: a file of another kind that has a million is not looked at."""
MOST_REGEXES: Final = 1_000
"""Regular expressions of a rulebook: RE2 takes milliseconds to compile the worst."""
MOST_PROBLEMS: Final = 100
"""Problems that are reported at once."""
