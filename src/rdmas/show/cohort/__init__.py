"""What the chapters of a reader's cohort say: sentences that are true of patients' records."""
