#include "taken.h"

#include "encode.h"
#include "port.h"

enum {
  /* Less than the host sends ahead (AHEAD_BYTES of its transfer gate). Each report is a write to the port: every 64 KiB, reports would
   * cost a fifth of a download's speed without KVM. */
  STEP = 131072,
  TAKEN_SIZE = FRAME_OVERHEAD + 8,
};

static bool wanted;
static uint64_t taken, told;

void taken_start(bool by_host) {
  wanted = by_host;
  taken = told = 0;
}

void taken_add(size_t size) { taken += size; }

bool taken_send(void) {
  if (!wanted || taken - told < STEP) return true;
  uint8_t *to = port_room(TAKEN_SIZE);
  if (to == NULL) return false;
  struct writer writer = frame_begin(to, TAKEN_SIZE, 0, KIND_TAKEN);
  put_u64(&writer, taken);
  port_commit(frame_finish(&writer));
  told = taken;
  return true;
}
