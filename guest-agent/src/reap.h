/* Reaps children: reports a stream's process to its stream, and discards all other orphans. */
#ifndef PYRO_REAP_H
#define PYRO_REAP_H

/* All signals are blocked before; SIGCHLD arrives as an event. */
int reap_init(void);
void reap_children(void);
/* SIGTERM or SIGINT came (only a local process takes them). */
int reap_asked_to_end(void);

#endif
