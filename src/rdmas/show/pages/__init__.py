"""What each chapter shows: its results made into tables, frames for figures, and text."""
