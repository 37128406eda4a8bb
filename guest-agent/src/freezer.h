/* Stops groups that the guest's root has made beside the agent's own, as container engines do, together with these. */
#ifndef PYRO_FREEZER_H
#define PYRO_FREEZER_H

#include "decode.h"

/* `directory`: a cgroup2, whose group "pyro" is the agent's. Without this call, nothing follows. errno, or 0. */
int freezer_start(const char *directory);
/* After `value` was written to `path`: if that file is the freezer of the agent's groups, the others get the same. */
void freezer_follow(const char *path, struct bytes value);

#endif
