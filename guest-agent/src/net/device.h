/* The virtual network device of a guest that has one. */
#ifndef PYRO_DEVICE_H
#define PYRO_DEVICE_H

/* Gives eth0 its address and the default route; 0 or errno with the failed step in *what. May be called again. */
int device_configure(const char **what);

#endif
