"""What runs in the container images beside Windlass itself, and the proof that they start."""
