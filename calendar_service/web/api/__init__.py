"""The internal API. One table of calls serves requests and makes the API's description."""
