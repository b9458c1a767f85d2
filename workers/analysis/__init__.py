"""Analysis: a group of stages on a chunk of images, each decoded once for all of the group's models."""
