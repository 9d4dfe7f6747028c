"""The deployer: carries revisions through the stages, one run at a time per stage, newest first.

Hears: `revision.planned`, `operation.requested`, `artifact.built`, `artifact.failed`,
`verification.passed`, `verification.failed`.
Says: `stage.declared`, `stage.held`, `run.*`, `step.*`, `build.requested`, `verification.requested`,
`operation.accepted`, `operation.refused`, `log.appended`.
Owns: stages, runs, steps, pinned artifacts, holds, and what runs on local targets.
"""
