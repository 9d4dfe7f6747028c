"""Measurements of a real Windlass, beside a peer where one can do the same work: `make bench`.

- figures.py: what a suite gives: series of values by round, and what can be said of them
- suite.py: what a suite is, how much effort it may make, rounds taken in turns
- budgets.py: what DESIGN 12 and the anchors ask for, as data
- contents.py: the suites by name
- suites/: one file a subject
- parties/: Windlass and its peers: how each is installed, started, pushed to and asked
- running.py: one suite after the other; machine.py: what they ran on
- record.py: results as JSON
- verdict.py: a result held against the budgets and the peer; telling.py prints it
- pictures.py: which pictures a result gives; plots.py draws them
- report.py: the page docs/benchmarks.md; publishing.py puts everything there and finds drift
"""
