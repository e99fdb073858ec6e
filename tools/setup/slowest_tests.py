"""``slowest_tests.py REPORT ...``: the tests of some JUnit reports that took longest, their fixtures included."""

import sys

from junitparser import JUnitXml, TestCase, TestSuite

SHOWN = 30

suites = [suite for path in sys.argv[1:] for suite in JUnitXml.fromfile(path) if isinstance(suite, TestSuite)]
cases = [case for suite in suites for case in suite if isinstance(case, TestCase)]
for case in sorted(cases, key=lambda case: case.time or 0, reverse=True)[:SHOWN]:
    print(f"{case.time or 0:8.1f} s  {case.classname}.{case.name}")
