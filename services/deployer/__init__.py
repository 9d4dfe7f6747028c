"""The deployer: carries revisions through the stages, one run at a time per stage, newest first.

Hears: `revision.planned`, `operation.requested`, `artifact.built`, `artifact.failed`,
`verification.probed`, `verification.passed`, `verification.failed`, `alarm.changed`, `attempt.classified`.
Says: `stage.*`, `run.*`, `step.*`, `attempt.failed`, `gate.answered`, `definition.*`, `hold.released`,
`blocker.lifted`, `window.overridden`, `build.requested`, `verification.requested`,
`operation.accepted`, `operation.refused`, `log.appended`.
Owns: stages, runs, steps, pinned artifacts, holds, blockers, and what runs on local targets.
"""
