/* Frames to the host: control frames first, then data, stream by stream in turn. */
#ifndef PYRO_ANNOUNCE_H
#define PYRO_ANNOUNCE_H

#include <stdbool.h>
#include <stdint.h>

#include "decode.h"
#include "encode.h"

struct stream;

enum event_level { EVENT_INFO = 1, EVENT_WARNING = 2, EVENT_ERROR = 3 };

/* Queues a stream with frames to send. */
void announce(struct stream *stream);
/* Sends as much as the port takes. */
void announce_pump(void);
/* Sends the requests of programs for the network, before the frames of streams. */
void announce_requests(void);
/* Sends the answers that are ready, before the work that follows. */
void announce_answers(void);
/* Time until deferred frames must go, in ms; -1 = none is deferred. */
int announce_delay_ms(void);

/* A new host: drops deferred frames, answers HELLO and then sends the state of every stream. */
void announce_hello(const uint8_t nonce[ID_SIZE], const char *build);
/* Whether a state is still to be sent. Meanwhile, the agent handles no frame of the host. */
bool announce_hello_pending(void);
/* Sends the state of one stream, to a repeated opener. */
void announce_state(struct stream *stream);
/* FAILED for a number without a stream. The caller has checked the room. */
void announce_refusal(uint32_t number, int error, uint8_t step, const char *detail);

/* A line for the host's log. Dropped above the rate limit, or without a HELLO. */
__attribute__((format(printf, 2, 3))) void announce_event(enum event_level level, const char *format, ...);

#endif
