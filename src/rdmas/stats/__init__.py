"""Statistics of counts and arrays: knows no cohort, no claim and no paper."""
