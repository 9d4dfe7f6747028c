"""What people can ask of a stage: one module an operation, and the table of all of them."""

from services.deployer.operations.answer import answer

__all__ = ["answer"]
