"""The network, as far as the verifier needs it."""
