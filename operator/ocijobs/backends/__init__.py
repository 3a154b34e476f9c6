"""The services of OCI that run jobs: for each one a module with one value, and a registry of them.

Decisions ask the value, never which service it is. A backend that lacks a capability leaves its field at the default.
"""
