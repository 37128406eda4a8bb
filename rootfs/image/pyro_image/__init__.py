"""Makes environments of images and archives of environments, in a builder microVM."""
