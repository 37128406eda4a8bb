/* The one byte stream to the host: a virtio-serial port, an inherited socket, or a listening socket (for tests). */
#ifndef PYRO_PORT_H
#define PYRO_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each takes ownership of the descriptor. */
int port_use_virtio(int fd);
int port_use_socket(int fd);
int port_use_listener(int fd);

/* Reads the available bytes, up to a limit; 0 without any. Never called with unread frames in the reader. */
size_t port_read(uint8_t *to, size_t room);
bool port_may_read(void);
/* Sets the events of the watch, before the loop waits. `input`: the agent can handle more input now. */
void port_expect(bool input);
bool port_may_write(void);
/* The peer of an inherited socket is gone and will not return. */
bool port_ended(void);
/* Maximum time until the next port_poll, in ms; -1 = no limit. */
int port_poll_ms(void);
void port_poll(void);

/* Room for one frame of up to `size` bytes after the pending ones; NULL if it does not fit now. */
uint8_t *port_room(size_t size);
void port_commit(size_t size);
/* Bytes that wait to be written. */
size_t port_waiting(void);
/* Writes pending bytes; true when none are left. */
bool port_flush(void);
/* Writes a frame around the buffer, only without pending bytes. Copies the rest of a partial write. False if the kernel
 * took nothing. */
bool port_write_through(const uint8_t *frame, size_t size);
/* Drops pending bytes, for a new host. */
void port_discard(void);

#endif
