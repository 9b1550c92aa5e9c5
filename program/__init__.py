"""The rules of the two years: plain functions over plain data, without I/O, clock, database or platform."""
