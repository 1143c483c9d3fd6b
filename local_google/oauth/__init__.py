"""Google's OAuth 2.0: consent, authorization codes, tokens, revocation."""
