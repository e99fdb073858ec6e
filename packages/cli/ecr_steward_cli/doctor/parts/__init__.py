"""Readers of what a stack has: one file per theme, one function per type of resource.

A reader answers with the properties of the CloudFormation template reference, as they are now, and what else checks
want to know of the resource, under names that begin with a small letter.
"""
