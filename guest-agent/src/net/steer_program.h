/* The program that hands packets for foreign addresses to the agent's sockets, attached to the network namespace. */
#ifndef PYRO_STEER_PROGRAM_H
#define PYRO_STEER_PROGRAM_H

/* Keys of the sockets' map: a socket of each family takes nothing of the other one. */
enum steered_socket { STEERED_TCP4, STEERED_TCP6, STEERED_DNS4, STEERED_DNS6, STEERED_UDP4, STEERED_UDP6, STEERED_SOCKETS };

/* Loads the program over a map of own addresses and a map of sockets; its descriptor, or -1 with errno. */
int steer_program_load(int own_addresses, int sockets);

#endif
