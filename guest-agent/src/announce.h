/* What is sent to the host: control frames first, then data, stream by stream in turn. */
#ifndef PYRO_ANNOUNCE_H
#define PYRO_ANNOUNCE_H

#include <stdbool.h>
#include <stdint.h>

#include "decode.h"
#include "encode.h"

struct stream;

enum event_level { EVENT_INFO = 1, EVENT_WARNING = 2, EVENT_ERROR = 3 };

/* Queues a stream for what it has to say now. */
void announce(struct stream *stream);
/* Sends what the port takes. */
void announce_pump(void);
/* How long what waits may go on waiting, in ms; -1 = nothing waits. */
int announce_delay_ms(void);

/* The host starts anew: drops what waits, answers HELLO and then tells the state of every stream. */
void announce_hello(const uint8_t nonce[ID_SIZE], const char *build);
/* Until then nothing more is taken from the host. */
bool announce_hello_pending(void);
/* Tells the state of one stream, to an opener that came twice. */
void announce_state(struct stream *stream);
/* FAILED for a number that is not kept as a stream. The caller made sure of room. */
void announce_refusal(uint32_t number, int error, uint8_t step, const char *detail);

/* A line for the host's log; dropped when there are too many, or nobody said HELLO. */
__attribute__((format(printf, 2, 3))) void announce_event(enum event_level level, const char *format, ...);

#endif
