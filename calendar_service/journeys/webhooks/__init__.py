"""Webhook events: delivered to the backend, and tried again."""
