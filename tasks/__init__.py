"""When work starts: Celery tasks, listener, sweeper, command line. The only floor that joins the others."""
