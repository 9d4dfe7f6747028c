"""Figures of what Windlass promises about time and room; each module is one, run with `python -m`.

`plan`: pipeline files checked, planned and compared. `validate`: the command, start-up included.
"""
