"""From untrusted bytes to upright sRGB pixels: what is let in, what is refused, and in which process it happens."""
