"""Running ONNX graphs: sessions, their providers, and a graph joined with its manifest."""
