"""Dead letters: messages that a group could not take, kept whole, handed over again or discarded.

Who decides that a message is dead is `shared/delivery.py`; what a person then does is here.
"""
