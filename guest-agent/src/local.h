/* The agent as an ordinary process, for tests: the same loop over a socket. */
#ifndef PYRO_LOCAL_H
#define PYRO_LOCAL_H

/* --fd N | --listen PATH, with --root DIR and --cgroup DIR; ends the process when they make no sense. */
void local_start(int count, char **arguments);

#endif
