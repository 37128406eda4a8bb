/* Single steps on the machine, at its boot or for CALLs; each that returns something returns errno, or 0. */
#ifndef PYRO_MACHINE_H
#define PYRO_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

int link_up(const char *interface);
int sync_disks(bool drop_caches);
/* Stops the interval timer. The kernel needs it for the boot and leaves it running at 18 Hz without a user. QEMU wakes
 * twice in each of its periods, the largest cost of an idle guest for the host. */
int interval_timer_stop(void);
/* modules.c: loads the kernel modules named in the file `order` of the directory, one file name a line. Ends the machine when one cannot be
 * loaded. */
void modules_load(const char *directory, const char *order);
/* Removes all files of the directory: they are memory in an initramfs. */
void modules_forget(const char *directory);

/* The next three can take seconds: for a child process. */

/* file_system.c: writes everything to the disks, and the journal of the ext4 at the path to its place, so that the next mount has nothing
 * to replay. Another file system and an older kernel keep their journal. */
void file_system_checkpoint(const char *path);
/* file_system.c: grows an ext4 to the size of its device. */
int file_system_grow(const char *path, const char *device);
/* clear.c: removes a file or a link, or all entries beneath a directory, of any depth and with any names. Follows no link there. A missing
 * path is clear. */
int path_clear(const char *path);

#endif
