"""Where a builder microVM has what."""

WORK = "/workspace"
# Modules of pyro's kernel, in the builder.
MODULES = "/usr/lib/modules"
# The same modules, in a file system of an image.
FLAT_MODULES = "usr/lib/modules"
# Where buildah has what lasts as long as the build.
RUN_ROOT = "/run/pyro-build"
