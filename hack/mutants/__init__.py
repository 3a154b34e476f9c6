"""Mutants of the operator's code: one small change each, which some test has to notice."""
