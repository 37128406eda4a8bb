/* Files of /dev that the kernel does not make by itself. */
#ifndef PYRO_NODES_H
#define PYRO_NODES_H

void nodes_make(void);

#endif
