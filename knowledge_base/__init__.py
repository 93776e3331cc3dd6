"""The knowledge base: articles that staff edit, found by what a question means. See usecases.py."""
