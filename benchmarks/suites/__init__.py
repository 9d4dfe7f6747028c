"""One file a subject; each has `measure`, a `Suite`."""
