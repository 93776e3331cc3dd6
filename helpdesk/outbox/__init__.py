"""What must still reach a customer outside the website, and what became of it."""
