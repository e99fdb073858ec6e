"""One-line faults, planted one after the other in a copy of the checkout, and the tests that fail on them.

``faults.toml`` holds the faults, ``killed.json`` the test that failed on each; ``make mutants`` plants them again.
"""
