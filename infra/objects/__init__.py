"""Where objects live: adapters of `schemas.ports.ObjectStore`, and the watcher that says what changes in a folder."""
