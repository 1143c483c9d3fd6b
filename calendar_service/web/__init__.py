"""The doors: the internal API, the pages, the operator's tools. Must not decide what a journey decides."""
