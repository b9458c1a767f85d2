"""The records in PostgreSQL: pool, migrations, and one adapter per port of the ledger."""
