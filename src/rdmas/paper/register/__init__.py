"""Patients' records as a reader keeps them: a table, and settings where the defaults don't fit."""
