/* Single steps on the machine that CALLs ask for; each returns errno, or 0. */
#ifndef PYRO_MACHINE_H
#define PYRO_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

int link_up(const char *interface);
int sync_disks(bool drop_caches);
/* Stops the interval timer. The kernel needs it for the boot and leaves it running at 18 Hz without a user. QEMU wakes
 * twice in each of its periods, the largest cost of an idle guest for the host. */
int interval_timer_stop(void);

#endif
