"""One module a language: what its files say about the service in a folder."""
