"""What several suites put on a Windlass, and how they watch it: repositories of many pipelines, steps'
own clocks, the runs' rows, and what processes have used.
"""
