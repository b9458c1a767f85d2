"""The broker: how Celery reaches it, whichever it is."""
