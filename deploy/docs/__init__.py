"""Documents written from the code, so that they cannot disagree with it. Not the prose pages."""
