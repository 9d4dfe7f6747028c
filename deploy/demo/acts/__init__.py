"""The five acts, one module each."""
