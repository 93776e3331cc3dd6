"""The brain: what the Rasa server loads. Runs in its own environment (Python 3.10) and imports nothing of the app."""
