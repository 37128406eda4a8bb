/* The workspace's baseline: a second tree, mounted out of reach of the guest's processes. */
#ifndef PYRO_BASELINE_H
#define PYRO_BASELINE_H

/* Name of this root in openers. */
#define BASELINE_ROOT "baseline:"

/* Mounts an ext4 device read-only, without journal replay, in place of the previous one; "" only releases the previous
 * one. `local`: a directory stands in for the device. Returns errno, or 0. */
int baseline_use(const char *device, int local);
/* Its root directory, or -1 with errno. Stays open. */
int baseline_root(void);
/* In a helper: moves an existing baseline to descriptor `fd`; returns the first descriptor beyond. */
int baseline_keep(int fd);

#endif
