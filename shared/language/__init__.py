"""The pipeline language: from a pipeline file's bytes to a plan, or to every problem at once.

Pure, and without I/O: whoever needs it (the synthesizer on a push, the command line on a working copy)
reads the repository itself and hands in what it found. Nothing here knows a broker, a database or git.
"""
