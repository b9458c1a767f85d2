"""Measurements that back the figures in the documents; each module is a command."""
