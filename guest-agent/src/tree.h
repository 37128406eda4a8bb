/* Kills a command's processes without cgroups (the agent as a local process). */
#ifndef PYRO_TREE_H
#define PYRO_TREE_H

#include <stdbool.h>
#include <sys/types.h>

/* Kills `leader` (if `alive`), its descendants, and the rest of its session. */
void tree_kill(pid_t leader, bool alive);
/* Signals each of them once. */
void tree_signal(pid_t leader, int signal);
/* Kills and reaps every descendant of the agent. */
void tree_kill_all(void);

#endif
