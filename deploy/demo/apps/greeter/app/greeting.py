"""What is said to whoever comes by."""

GREETING = "Hello"
