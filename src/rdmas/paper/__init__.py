"""What a paper states: its data package, its cohort, its claims, and what they leave unseen."""
