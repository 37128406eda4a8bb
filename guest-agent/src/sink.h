/* Reads and discards the output of background processes after their command's end, so that they get no SIGPIPE. */
#ifndef PYRO_SINK_H
#define PYRO_SINK_H

/* Takes ownership of a non-blocking descriptor that is not watched. */
void sink_open(int fd);
void sinks_close(void);

#endif
