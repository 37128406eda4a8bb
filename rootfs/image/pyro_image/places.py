"""Where a builder microVM has what."""

WORK = "/workspace"


# Modules of pyro's kernel, in the builder.
MODULES = "/usr/lib/modules"
# Where this kernel's modules are in it.
FLAT_MODULES = "usr/lib/modules"
