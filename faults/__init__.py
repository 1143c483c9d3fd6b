"""The fault campaign: it breaks the running service on purpose and checks that no promise was broken.

`README.md` in this folder explains the parts. The service must not import this package, and
`faults.checker` must not import the service.
"""
