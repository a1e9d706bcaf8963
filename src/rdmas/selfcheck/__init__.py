"""What the project says about itself: the checker checked, libraries audited, speed measured."""
