/* Addresses, routes and rules that bring packets for foreign addresses to this machine. */
#ifndef PYRO_ROUTES_H
#define PYRO_ROUTES_H

#include <stdint.h>

/* Source of the guest's connections; ROUTES_NAMESERVER is nobody's address, for /etc/resolv.conf. */
extern const uint8_t routes_source4[4], routes_source6[16];
extern const uint8_t routes_nameserver4[4], routes_nameserver6[16];

/* The addresses, and the routes of a table that no packet uses without the rules. 0 or errno with the failed step in *what. Without
 * IPv6 in the kernel, IPv4 alone is routed. All may be called again. */
int routes_add_paths(const char **what);
/* Bring the guest's packets to the table. */
int routes_add_rules(const char **what);
int routes_remove_rules(const char **what);
/* own_addresses.c: makes a map of the addresses that are the machine's own, for which packets are not steered, and keeps it up to date from
 * then on; the map's descriptor, or -1 with errno. */
int own_addresses_open(void);

#endif
