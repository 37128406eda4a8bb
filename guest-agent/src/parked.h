/* A child that waits for the next command: cloned into its cgroup, in a session of its own, its outputs in place, so that a command
 * costs no more than its exec. That is a tenth of what /bin/true takes under TCG. Only where a child may borrow the agent's memory. */
#ifndef PYRO_PARKED_H
#define PYRO_PARKED_H

#include <stdbool.h>
#include <stdint.h>

#include "cgroup.h"
#include "child.h"

/* What a command that was started in the parked child has. */
struct parked {
  pid_t pid;
  struct cgroup *cgroup; /* NULL where there are none */
  int out, err;          /* the ends that are read */
};

/* A command came. From the second one on there will be more, and a child is parked when there is nothing else to do. Its limit of
 * processes will be this one. */
void parked_wanted(uint64_t pids_max);
/* Parks one where none is; `in` becomes its input. */
void parked_prepare(int in);
/* Runs the plan (its descriptors aside) in the parked child and waits as child_start does. False when there is none, or none that runs:
 * somebody in the guest killed or stopped it. */
bool parked_start(const struct child_plan *plan, uint64_t pids_max, struct parked *taken, struct child_report *report);
/* Another directory is about to become the agent's root, and so its. It holds none that is to be unmounted. */
void parked_root_moves(bool for_good);
/* Ends it, and parks none until one is wanted again. */
void parked_end(void);

#endif
