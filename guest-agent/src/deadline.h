/* Grace of a new command, in the hope that it ends soon: its pipes are not watched, and STARTED waits for its other
 * frames. A longer command has this delay once. */
#ifndef PYRO_DEADLINE_H
#define PYRO_DEADLINE_H

#include <stdint.h>

#include "clock.h"

/* /bin/true takes 3 to 7 ms under TCG, less than one under KVM. */
enum { GRACE_MS = 8 };

/* 0 = used up */
static inline int time_left_ms(uint64_t since_ns, int whole_ms) {
  uint64_t passed_ms = (clock_monotonic_ns() - since_ns) / 1000000u;
  return passed_ms >= (uint64_t)whole_ms ? 0 : whole_ms - (int)passed_ms;
}

static inline int grace_left_ms(uint64_t since_ns) { return time_left_ms(since_ns, GRACE_MS); }

#endif
