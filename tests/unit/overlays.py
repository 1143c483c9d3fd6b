"""An overlay that sets everything the shipped profile leaves to its operator."""

ENCRYPTION = """
hosting.volume_encryption = { what = "LUKS, AES-256", who = "A. Operator", date = "2026-05-01" }
hosting.backup_encryption = { what = "age, AES-256", who = "A. Operator", date = "2026-05-02" }
"""

COMPLETE = f"""
extends = "videsk"
console_url = "https://console.videsk.io/"
identity.logo = "/etc/calendar/logo.svg"
identity.contact = "google-data@videsk.io"
identity.terms_url = {{ en = "https://videsk.io/terms", es = "https://videsk.io/es/terms" }}
policy.url = {{ en = "https://videsk.io/privacy", es = "https://videsk.io/es/privacy" }}
policy.date = "2026-05-03"
{ENCRYPTION}"""
