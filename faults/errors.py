"""What ends an episode without saying anything about the service, and what says that work is left."""


class ClusterError(Exception):
    """A process did not do what the campaign needs, so the episode says nothing about the service."""


class NotConvergedError(Exception):
    """Work was left some time after the last fault had ended."""


class NotApplicableError(Exception):
    """The service's text no longer contains what a seeded defect replaces; the defect has to be written anew."""
