#include "ring_buffer.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernel_net.h"

int ring_buffer_open(struct ring_buffer *ring, int map, size_t size) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  /* A page with the consumer's position, one with the producer's, and the data twice in a row: no record is cut. */
  void *consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
  if (consumer == MAP_FAILED) return errno;
  void *rest = mmap(NULL, page + 2 * size, PROT_READ, MAP_SHARED, map, (off_t)page);
  if (rest == MAP_FAILED) {
    int error = errno;
    munmap(consumer, page);
    return error;
  }
  *ring = (struct ring_buffer){.consumer = consumer, .producer = rest, .data = (const uint8_t *)rest + page, .size = size};
  return 0;
}

static const uint32_t *header(const struct ring_buffer *ring) {
  return (const uint32_t *)(const void *)(ring->data + (*ring->consumer & (ring->size - 1)));
}

static size_t record_size(uint32_t head) { return head & ~(BPF_RING_BUSY | BPF_RING_DISCARDED); }

static void pass(struct ring_buffer *ring, uint32_t head) {
  unsigned long next = *ring->consumer + ((BPF_RING_HEADER + record_size(head) + 7) & ~7ul);
  __atomic_store_n(ring->consumer, next, __ATOMIC_RELEASE);
}

const void *ring_buffer_next(const struct ring_buffer *ring, size_t *size) {
  if (*ring->consumer >= __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE)) return NULL;
  const uint32_t *at = header(ring);
  uint32_t head = __atomic_load_n(at, __ATOMIC_ACQUIRE);
  if (head & BPF_RING_BUSY) return NULL;
  *size = record_size(head);
  return (const uint8_t *)at + BPF_RING_HEADER;
}

void ring_buffer_pass(struct ring_buffer *ring) { pass(ring, __atomic_load_n(header(ring), __ATOMIC_ACQUIRE)); }
