"""What people and the backend do: it sends requests to the service, and writes down each request and response.

The driver does not judge a response; `faults.checker` does, from the journal.
"""
