"""Repository policies: what a document means, whether two mean the same, and what the rulebook changes in one.

The grammar is that of the IAM user guide ("IAM JSON policy element reference"). ECR knows no condition for a write, so
what others have put into a document is read, kept and written back together with the rulebook's own part.
"""
