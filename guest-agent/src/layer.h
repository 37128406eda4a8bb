/* The workspace disk in a machine whose VMM gives it as two raw images. */
#ifndef PYRO_LAYER_H
#define PYRO_LAYER_H

#include <stdint.h>
#include <sys/types.h>

/* Makes /dev/dm-0, a disk of `bytes`: the content of the device `seed`, zeros after its end, and everything that was written since in the
 * device `store`. A store of zeros is empty. */
int layer_map(const char *seed, const char *store, uint64_t bytes);
/* Ends the mapping. Nothing may be mounted on it. */
int layer_unmap(void);
/* The device that layer_map made; 0 without one. */
dev_t layer_device(void);

#endif
