/* Steering: a program in the kernel hands connections and questions for foreign addresses to sockets of the agent. */
#ifndef PYRO_STEER_H
#define PYRO_STEER_H

/* 0 or errno with the failed step in *what. Nothing is steered before there are routes. */
int steer_prepare(const char **what);

#endif
