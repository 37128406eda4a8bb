/* Work of the agent before it serves. */
#ifndef PYRO_BOOT_H
#define PYRO_BOOT_H

#include <stdbool.h>

/* As PID 1 of the initramfs: mounts the kernel's file systems, loads the modules, and opens the channel; its descriptor. `is_listener`: it
 * is a listening vsock, else a virtio port. Ends the machine when something fatal fails. */
int boot(bool *is_listener);
/* local.c: the agent as an ordinary process, for tests: the same loop over a socket. --fd N | --listen PATH, with --root DIR and
 * --cgroup DIR; ends the process when they make no sense. */
void local_start(int count, char **arguments);

#endif
