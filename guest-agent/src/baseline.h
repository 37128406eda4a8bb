/* A second tree, mounted where no process of the guest's sees it: what the workspace started from. */
#ifndef PYRO_BASELINE_H
#define PYRO_BASELINE_H

/* The root that openers name it by. */
#define BASELINE_ROOT "baseline:"

/* Mounts an ext4 device read-only, without replaying its journal, in the place of the one before; "" only lets that go.
 * `local`: a directory stands in for the device. Returns errno, or 0. */
int baseline_use(const char *device, int local);
/* Its root directory, or -1 with errno. Stays open. */
int baseline_root(void);
/* In a helper: moves it to descriptor `fd` when it is there; returns the first descriptor beyond. */
int baseline_keep(int fd);

#endif
