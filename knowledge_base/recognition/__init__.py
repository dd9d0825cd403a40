"""From an utterance to an intent with a confidence."""
