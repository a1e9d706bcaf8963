"""What the chapters of a reader's cohort say: sentences that are true of patients' records."""

#: What ``rdmas rerun`` was told and chapters have no parameter for: variables of the environment.
ENCODING, TITLE = "RDMAS_ENCODING", "RDMAS_TITLE"
