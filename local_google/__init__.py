"""The local Google: OAuth 2.0, Calendar v3 and their failures, on this machine, for development and tests.

It imports nothing of the service and never accepts what Google would refuse. A test holds each fact about Google, with
its source's strength (docs/local-google.md). Where no source was found, a comment marks the behaviour as recalled ([R])
or inferred ([I]).
"""
