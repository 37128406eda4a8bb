/* The last 4,096 ids of released streams are known, older ones are not. */
#include <string.h>

#include "../src/ids.h"
#include "check.h"

enum { REMEMBERED = 4096, ROUNDS = 3 * REMEMBERED };

static const uint8_t *id_of(uint32_t number) {
  static uint8_t id[ID_SIZE];
  memset(id, 0, sizeof id);
  for (int i = 0; i < 4; i++) id[15 - i] = (uint8_t)(number >> (8 * i));
  return id;
}

void test_ids(void) {
  test_begin("an id is known from its release until 4,096 others were released");
  bool right = true;
  for (uint32_t i = 0; i < ROUNDS; i++) {
    right = right && !ids_known(id_of(i));
    ids_remember(id_of(i));
    right = right && ids_known(id_of(i));
    if (i >= REMEMBERED - 1) right = right && ids_known(id_of(i - REMEMBERED + 1));
    if (i >= REMEMBERED) right = right && !ids_known(id_of(i - REMEMBERED));
  }
  CHECK(right);
}
