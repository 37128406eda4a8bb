#ifndef PYRO_ENTROPY_H
#define PYRO_ENTROPY_H

#include "decode.h"

/* Opens the kernel's generator while /dev is still the agent's own. */
void entropy_init(void);
/* Mixes 32 to 512 bytes in, credits them and makes the generator reseed at once; errno, or 0. Without it two clones
 * of one template return the same random bytes. */
int entropy_mix(struct bytes entropy);

#endif
