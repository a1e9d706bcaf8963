"""How often the audit is wrong: false alarms over true numbers, and planted errors it misses.

Percentages and fractions are gone through exhaustively, every count of every denominator. For
P-values two-arm trials are simulated: an author computes one of the tests in use from the
patients and prints it, and the audit, which sees the deaths and patients of each arm and
nothing else, says what it makes of the print. An alarm (``not reproduced``) is false if nothing
is wrong; an error planted in a print is caught if there is an alarm.

Not every error can be caught. One that prints what the true value prints is undetectable; a P
that another test of the same counts gives, or another order of unseen events, is explained by
these.
"""

from rdmas.selfcheck.checker._audit import simulated_cohort
from rdmas.selfcheck.checker._p_values import p_value_false_alarms, p_value_planted_errors
from rdmas.selfcheck.checker._percentages import percentage_false_alarms, percentage_planted_errors
from rdmas.selfcheck.checker._printing import PRINTINGS, ROUNDED_ONCE
from rdmas.selfcheck.checker._trials import AUTHORS_TESTS, AuthorsTest, TrialLaw

__all__ = [
    "AUTHORS_TESTS",
    "PRINTINGS",
    "ROUNDED_ONCE",
    "AuthorsTest",
    "TrialLaw",
    "p_value_false_alarms",
    "p_value_planted_errors",
    "percentage_false_alarms",
    "percentage_planted_errors",
    "simulated_cohort",
]
