"""The model catalogue: which manifests there are, and where a model's files lie on this machine."""
