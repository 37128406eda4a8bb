/* Pipes for what commands print. Making and closing them takes 4 % of a short command's time under TCG: two are kept
 * ready for the next. */
#ifndef PYRO_PIPES_H
#define PYRO_PIPES_H

/* A pipe whose end [0], the reading one, does not block; errno, or 0. */
int pipe_take(int ends[2]);
/* Makes what is missing; for when there is nothing else to do. */
void pipes_prepare(void);
void pipes_close(void);

#endif
