"""The local Google: OAuth 2.0, Calendar v3 and their failures, on this machine, for development and tests.

Imports nothing of the service and never answers what Google would refuse. Where Google's behaviour is only
recalled ([R]) or inferred ([I]) the code says so beside it; everything else is held by a test named after the fact.
"""
