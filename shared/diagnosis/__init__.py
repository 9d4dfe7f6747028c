"""What a failure is: evidence through ordered, named rules to an answer in the fixed vocabulary.

Pure, deterministic and offline. The classifier asks it about what happened, the command line about any
log; both must answer alike. What follows from a failure is the deployer's to decide, not told here.
"""
