/* Pipes for the outputs of commands. Making and closing them takes 4 % of a short command's time under TCG, so two stay
 * ready for the next command. */
#ifndef PYRO_PIPES_H
#define PYRO_PIPES_H

/* A pipe whose end [0], the reading one, does not block; errno, or 0. */
int pipe_take(int ends[2]);
/* Makes missing pipes; for idle time. */
void pipes_prepare(void);
void pipes_close(void);

#endif
