/* Kills a command's processes where there are no cgroups (the agent as a local process). */
#ifndef PYRO_TREE_H
#define PYRO_TREE_H

#include <stdbool.h>
#include <sys/types.h>

/* Kills `leader` (when it is still `alive`), its descendants, and whoever is left in its session. */
void tree_kill(pid_t leader, bool alive);
/* Kills and reaps every descendant of the agent. */
void tree_kill_all(void);

#endif
