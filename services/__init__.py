"""The services of Windlass, one folder each; they meet only on topics."""
