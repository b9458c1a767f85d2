"""Character attributes: what tags say of the people in an image."""
