/* One cgroup per command: its limits, the way to kill it whole, and the kernel's word on memory kills. */
#ifndef PYRO_CGROUP_H
#define PYRO_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

struct cgroup;

/* Prepares `directory` (a cgroup2) for commands' groups beneath it; errno, or 0. */
int cgroup_init(const char *directory);
bool cgroup_available(void);
/* Looks at what will be used next; for when there is nothing else to do. */
void cgroup_prepare(void);
/* An empty group with these limits (0 = none); errno, or 0. */
int cgroup_take(uint64_t memory_max, uint64_t pids_max, struct cgroup **cgroup);
/* 0 = none; errno, or 0. */
int cgroup_limit_processes(struct cgroup *cgroup, uint64_t pids_max);
/* For clone3. */
int cgroup_descriptor(const struct cgroup *cgroup);
void cgroup_kill(struct cgroup *cgroup);
/* True when the kernel killed one of its processes for want of memory since it was taken. */
bool cgroup_ran_out_of_memory(const struct cgroup *cgroup);
/* A spare: what the guest's root did to it meanwhile is not known. */
bool cgroup_reused(const struct cgroup *cgroup);
/* Gives it back: removed, or kept for the next command, once its last process ended. */
void cgroup_release(struct cgroup *cgroup);
/* A new one with the same limits in the place of a spare that turned out to be gone: a guest's root can remove it. NULL where there is none;
 * errno, or 0. */
int cgroup_replace(struct cgroup **cgroup);
/* At the end of a local process, after its last child. */
void cgroups_remove(void);

#endif
