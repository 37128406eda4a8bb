/* One cgroup per command: its limits, its kill, and the kernel's count of memory kills. */
#ifndef PYRO_CGROUP_H
#define PYRO_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct cgroup;

/* Prepares `directory` (a cgroup2) for commands' groups; errno, or 0. */
int cgroup_init(const char *directory);
bool cgroup_available(void);
/* Prepares the next group; for idle time. */
void cgroup_prepare(void);
/* An empty group with these limits (0 = none); errno, or 0. */
int cgroup_take(uint64_t memory_max, uint64_t pids_max, struct cgroup **cgroup);
/* 0 = none; errno, or 0. */
int cgroup_limit_processes(struct cgroup *cgroup, uint64_t pids_max);
/* For clone3. */
int cgroup_descriptor(const struct cgroup *cgroup);
void cgroup_kill(struct cgroup *cgroup);
/* Signals each process of the group, its leader first. None of them starts another meanwhile, unless one sleeps in the
 * kernel or holds the signal back for long. */
void cgroup_signal(const struct cgroup *cgroup, int signal, pid_t leader);
/* Whether the kernel killed one of its processes for lack of memory since its acquisition. */
bool cgroup_ran_out_of_memory(const struct cgroup *cgroup);
/* A spare: the guest's root may have changed it meanwhile. */
bool cgroup_reused(const struct cgroup *cgroup);
/* Releases it: removed, or kept for the next command, after the end of its last process. */
void cgroup_release(struct cgroup *cgroup);
/* A new group with the same limits in place of a spare that the guest's root has removed. NULL without cgroups; errno, or 0. */
int cgroup_replace(struct cgroup **cgroup);
/* At the end of a local process, after its last child. */
void cgroups_remove(void);

#endif
