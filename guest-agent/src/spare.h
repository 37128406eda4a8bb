/* A child that waits for the next command: cloned into its cgroup, in its own session, with its outputs in place, so that
 * a command costs only its exec. Under TCG this saves a tenth of /bin/true's time. Only if a child may borrow the agent's
 * memory. */
#ifndef PYRO_SPARE_H
#define PYRO_SPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "cgroup.h"
#include "child.h"

/* Resources of a command in the spare child. */
struct spare {
  pid_t pid;
  struct cgroup *cgroup; /* NULL without cgroups */
  int out, err;          /* the ends that are read */
};

/* Notes a command. From the second command on, the agent makes a spare child in idle time, with the same limit of processes. */
void spare_wanted(uint64_t pids_max);
/* Makes a spare child if there is none; `in` becomes its input. */
void spare_prepare(int in);
/* Runs the plan (without its descriptors) in the spare child and waits as child_start does. False without a running
 * child: a process in the guest killed or stopped it. */
bool spare_start(const struct child_plan *plan, uint64_t pids_max, struct spare *taken, struct child_report *report);
/* Called before another directory becomes the agent's root. A child that shares the agent's root follows. Ends a child with a
 * root of its own, which would hold directories that the agent unmounts. */
void spare_root_moves(bool for_good);
/* Below 0: there is no spare child. */
pid_t spare_pid(void);
/* Ends the child, and makes no other until the next command. */
void spare_end(void);

#endif
