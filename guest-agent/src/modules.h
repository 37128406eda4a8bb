#ifndef PYRO_MODULES_H
#define PYRO_MODULES_H

/* Loads the kernel modules named in `directory`/order, one file name a line, and removes their files: they are memory
 * in an initramfs. Ends the machine when one cannot be loaded. */
void modules_load(const char *directory);

#endif
