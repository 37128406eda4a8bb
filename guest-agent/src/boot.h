/* Work of PID 1 of the initramfs before it serves. */
#ifndef PYRO_BOOT_H
#define PYRO_BOOT_H

/* Mounts the kernel's file systems, loads the modules, and opens the port; its descriptor. Ends the machine when
 * something fatal fails. */
int boot(void);

#endif
