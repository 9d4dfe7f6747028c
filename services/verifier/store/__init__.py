"""The verifier's rows: verifications under way, and the services that are watched."""
