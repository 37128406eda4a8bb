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

/* Reads what there is, once; 0 when nothing came. Never called with frames still unread in the reader. */
size_t port_read(void *to, size_t room);
bool port_may_read(void);
/* Before the loop waits: whether more input could be handled now. */
void port_expect(bool input);
bool port_may_write(void);
/* The peer of an inherited socket is gone for good. */
bool port_ended(void);
/* How long the loop may sleep for the port's sake, in ms; -1 = for ever. */
int port_poll_ms(void);
void port_poll(void);

/* Room for one frame of up to `size` bytes after what already waits; NULL when it does not fit now. */
uint8_t *port_room(size_t size);
void port_commit(size_t size);
/* Bytes that wait to be written. */
size_t port_waiting(void);
/* Writes what waits; true when nothing is left. */
bool port_flush(void);
/* Writes a frame around the buffer: only when nothing waits. What the kernel does not take at once is copied. False when
 * it took nothing. */
bool port_write_through(const uint8_t *frame, size_t size);
/* Forgets what waits: the host starts anew. */
void port_discard(void);

#endif
