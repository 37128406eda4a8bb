/* Whether the guest's programs run: those of commands, and their remaining children. */
#ifndef PYRO_PROGRAMS_H
#define PYRO_PROGRAMS_H

#include <stdbool.h>

/* Whether the agent has a child besides its spare: orphans become the agent's children, too. True if it cannot be found out. */
bool programs_run(void);

#endif
