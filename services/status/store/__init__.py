"""Status's SQL: what is written as events are heard, and what is read from it."""
