"""Readers of what lies around a stack: its rulebook, the account and its registry. One file per theme."""
