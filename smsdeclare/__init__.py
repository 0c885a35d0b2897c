"""Declarative SMS for the OVHcloud API."""

__version__ = "0.1.0"
