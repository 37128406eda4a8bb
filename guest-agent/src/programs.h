/* Which of the guest's programs run: those of commands, and their remaining children. */
#ifndef PYRO_PROGRAMS_H
#define PYRO_PROGRAMS_H

/* As the host gets them. Hosts of an older pyro take each but the first as programs that run. */
enum programs {
  PROGRAMS_NONE = 0,
  PROGRAMS_UNKNOWN = 1, /* it cannot be found out: some may run */
  PROGRAMS_OWN = 2,     /* those that the host started */
  PROGRAMS_LEFT = 3,    /* also processes whose parents have ended */
};

/* Looks at the agent's children: orphans become its children, too. */
enum programs programs_run(void);

#endif
