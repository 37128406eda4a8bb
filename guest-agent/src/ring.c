#include "ring.h"

#include <stdbool.h>
#include <sys/mman.h>

/* Commands run one after the other reuse the same pages instead of faulting in new ones. */
enum { SPARES = 2 };
/* A spare keeps no more memory than this. */
enum { SPARE_RESIDENT_BYTES = 64 * 1024 };

static struct {
  uint8_t *ring;
  size_t size;
} spares[SPARES];

static size_t mapping_size(size_t size) { return size + (size_t)2 * RING_MARGIN; }

uint8_t *ring_take(size_t size) {
  for (size_t i = 0; i < SPARES; i++) {
    if (spares[i].ring == NULL || spares[i].size != size) continue;
    uint8_t *ring = spares[i].ring;
    spares[i].ring = NULL;
    return ring;
  }
  void *mapping = mmap(NULL, mapping_size(size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) return NULL;
  /* A forked helper does not need commands' output. */
  madvise(mapping, mapping_size(size), MADV_DONTFORK);
  return (uint8_t *)mapping + RING_MARGIN;
}

void ring_release(uint8_t *ring, size_t size, uint64_t used) {
  uint8_t *mapping = ring - RING_MARGIN;
  for (size_t i = 0; i < SPARES; i++) {
    if (spares[i].ring != NULL) continue;
    if (size > SPARE_RESIDENT_BYTES && used >= SPARE_RESIDENT_BYTES)
      madvise(mapping + SPARE_RESIDENT_BYTES, mapping_size(size) - SPARE_RESIDENT_BYTES, MADV_DONTNEED);
    spares[i].ring = ring;
    spares[i].size = size;
    return;
  }
  munmap(mapping, mapping_size(size));
}
