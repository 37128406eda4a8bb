/* Remembers the ids of released streams, so that an id is run once. */
#ifndef PYRO_IDS_H
#define PYRO_IDS_H

#include <stdbool.h>

#include "wire.h"

bool ids_known(const uint8_t id[ID_SIZE]);
void ids_remember(const uint8_t id[ID_SIZE]);

#endif
