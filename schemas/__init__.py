"""What we agree on: data contracts, ports, the pipeline as data, SQL, manifests. No I/O happens here."""
