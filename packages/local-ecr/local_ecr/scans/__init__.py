"""Scans. There is no scanner here: a scan is under way until a result is recorded, or a set time is over."""
