/* Reads to nowhere what a background process still writes after its command ended, so that it gets no SIGPIPE. */
#ifndef PYRO_SINK_H
#define PYRO_SINK_H

/* Takes ownership of a non-blocking descriptor that is not watched. */
void sink_open(int fd);
void sinks_close(void);

#endif
