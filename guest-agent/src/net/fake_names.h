/* Addresses of 198.18.0.0/15 that stand for names. */
#ifndef PYRO_FAKE_NAMES_H
#define PYRO_FAKE_NAMES_H

#include <stdbool.h>
#include <stdint.h>

/* The address of a name, from its hash: the same one in nearly every guest, for one name while the agent lives. Writes 4
 * bytes; false when the table is full or memory is out. */
bool fake_address(const char *name, uint8_t address[4]);
/* The name of an address; "" = none. */
const char *fake_name(const uint8_t address[4]);

#endif
