"""Pages and JSON API over the ports of `schemas.services`; knows no server, no model and no database."""

from web.app import create_app

__all__ = ["create_app"]
