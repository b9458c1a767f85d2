"""The closed registry of preprocessing steps that manifests name: pure functions with parameters, never expressions."""
