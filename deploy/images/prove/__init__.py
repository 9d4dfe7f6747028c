"""`python -m deploy.images.prove`: starts `compose.yaml` for real and carries a push through it.

Needs a Docker engine with its compose plugin. Not part of `make test`: it builds images, and it takes
minutes.
"""
