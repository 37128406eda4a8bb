#include "free_space.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel.h"

static int map(const char *path, struct kernel_fsmap_head *head) {
  struct stat status = {0};
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno;
  int error = fstat(fd, &status) < 0 ? errno : 0;
  /* The keys bound the range on one device only. */
  head->keys[0].device = head->keys[1].device = (uint32_t)status.st_dev;
  if (error == 0 && ioctl(fd, KERNEL_GETFSMAP, head) < 0) error = errno;
  close(fd);
  return error;
}

static bool is_free(const struct kernel_fsmap *record) {
  return (record->flags & KERNEL_FSMAP_SPECIAL_OWNER) != 0 && record->owner == KERNEL_FSMAP_OWNER_FREE;
}

int free_space_find(const char *path, uint64_t start, uint64_t length, struct free_space *found) {
  found->end = start;
  found->count = 0;
  if (length == 0) return 0;
  if (start > UINT64_MAX - length) return EINVAL;
  struct kernel_fsmap_head *head = calloc(1, sizeof *head + FREE_RANGES_MAX * sizeof *head->records);
  if (head == NULL) return ENOMEM;
  head->count = FREE_RANGES_MAX;
  head->keys[0].physical = start;
  head->keys[1].physical = start + length - 1;
  head->keys[1].flags = UINT32_MAX;
  head->keys[1].owner = head->keys[1].offset = UINT64_MAX;
  int error = map(path, head);
  for (uint32_t i = 0; error == 0 && i < head->entries; i++) {
    const struct kernel_fsmap *record = &head->records[i];
    if (is_free(record)) found->ranges[found->count++] = (struct free_range){record->physical, record->length};
    found->end = record->physical + record->length;
  }
  if (error == 0 && head->entries < FREE_RANGES_MAX) found->end = start + length;
  free(head);
  return error;
}
