/* Addresses that are the machine's own, in a map of the kernel: packets for them are not steered. */
#ifndef PYRO_OWN_ADDRESSES_H
#define PYRO_OWN_ADDRESSES_H

/* Makes the map and watches the machine's addresses from then on; the map's descriptor, or -1 with errno. */
int own_addresses_open(void);

#endif
