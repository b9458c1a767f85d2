"""What docker/ promises, without an engine: docker/images.sh tries the images themselves."""
