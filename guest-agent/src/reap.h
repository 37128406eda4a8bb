/* Reaps children: a stream's process tells its stream, all others are orphans that nobody waits for. */
#ifndef PYRO_REAP_H
#define PYRO_REAP_H

/* All signals are blocked before; SIGCHLD arrives as an event. */
int reap_init(void);
void reap_children(void);
/* SIGTERM or SIGINT came (only a local process takes them). */
int reap_asked_to_end(void);

#endif
