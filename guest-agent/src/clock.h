#ifndef PYRO_CLOCK_H
#define PYRO_CLOCK_H

#include <stdint.h>

uint64_t clock_monotonic_ns(void);
uint64_t clock_realtime_ns(void);
/* errno, or 0 */
int clock_set_realtime(uint64_t ns);

#endif
