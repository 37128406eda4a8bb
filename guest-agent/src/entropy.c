#include "entropy.h"

#include <errno.h>
#include <string.h>

#include "kernel.h"

enum { ENTROPY_MIN = 32, ENTROPY_MAX = 512 };

static int generator = -1;

void entropy_init(void) { generator = open("/dev/urandom", O_RDWR | O_CLOEXEC | O_NOCTTY); }

int entropy_mix(struct bytes entropy) {
  if (entropy.size < ENTROPY_MIN || entropy.size > ENTROPY_MAX) return EINVAL;
  if (generator < 0) return ENODEV;
  /* struct rand_pool_info of linux/random.h */
  struct {
    int entropy_bits, size;
    uint8_t bytes[ENTROPY_MAX];
  } pool = {(int)entropy.size * 8, (int)entropy.size, {0}};
  memcpy(pool.bytes, entropy.data, entropy.size);
  if (ioctl(generator, KERNEL_RNDADDENTROPY, &pool) < 0) return errno;
  if (ioctl(generator, KERNEL_RNDRESEEDCRNG) < 0) return errno;
  return 0;
}
