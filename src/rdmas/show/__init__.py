"""What a reader sees: sentences, tables, figures, and what each chapter shows."""
