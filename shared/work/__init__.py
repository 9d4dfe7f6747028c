"""Durable work: what lasts minutes, as a row that is claimed, leased and fenced (DESIGN 4)."""

from shared.work.beside import Beside
from shared.work.orders import Order, cancel, place
from shared.work.workers import Claim, FenceLost, Worker, Workers

__all__ = ["Beside", "Claim", "FenceLost", "Order", "Worker", "Workers", "cancel", "place"]
