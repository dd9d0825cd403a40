"""The classifier: features, fitting, serving."""
