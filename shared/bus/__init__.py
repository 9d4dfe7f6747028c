"""The bus port: which events a service hears, and how they reach it. Knows nothing of any service."""

from shared.bus.port import Bus, Subscription

__all__ = ["Bus", "Subscription"]
