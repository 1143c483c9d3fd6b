"""An overlay that sets everything the shipped profile leaves to its operator."""

COMPLETE = """
extends = "videsk"
console_url = "https://console.videsk.io/"
identity.logo = "/etc/calendar/logo.svg"
identity.contact = "google-data@videsk.io"
identity.terms_url = { en = "https://videsk.io/terms", es = "https://videsk.io/es/terms" }
policy.url = { en = "https://videsk.io/privacy", es = "https://videsk.io/es/privacy" }
policy.date = "2026-05-03"
"""
