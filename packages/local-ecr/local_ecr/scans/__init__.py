"""Scans. There is no scanner here: a scan is under way until somebody records what it found."""
