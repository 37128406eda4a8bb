/* The workspace disk of a machine whose VMM knows raw images only: what the guest writes goes to a store, and the seed image stays as it is
 * (device mapper, target "snapshot": Documentation/admin-guide/device-mapper/snapshot.rst). */
#include "layer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "file_system.h"
#include "kernel.h"

#define CONTROL "/dev/mapper/control"

/* Numbers of the two mapped devices: what is mounted, and a seed image that is smaller than the disk, with zeros after it. */
enum { DISK = 0, SEED = 1 };
static const char *const names[] = {[DISK] = "disk", [SEED] = "seed"};

enum { SECTOR = 512 };
/* Sectors of a chunk: 8 KiB. Smaller chunks need more metadata, larger ones copy more for a small write. */
#define CHUNK "16"

/* linux/dm-ioctl.h */
struct head {
  uint32_t version[3], data_size, data_start, target_count;
  int32_t open_count;
  uint32_t flags, event_number, padding;
  uint64_t device;
  char name[128], uuid[129], data[7];
};
struct target {
  uint64_t start, length;
  int32_t status;
  uint32_t next;
  char type[16];
};
#define REQUEST(number) _IOWR(0xfd, number, struct head)
enum { CREATE = 3, REMOVE = 4, SUSPEND = 6, LOAD = 9 };
enum { PERSISTENT_DEVICE = 1 << 3 };

enum { PARAMETERS_MAX = 256, ROWS_MAX = 2 };
struct row {
  uint64_t sectors;
  const char *type;
  char parameters[PARAMETERS_MAX];
};

struct request {
  struct head head;
  struct {
    struct target target;
    char parameters[PARAMETERS_MAX];
  } rows[ROWS_MAX];
};

static dev_t mapped; /* the device of the workspace disk; 0 without one */

static int ask(int control, unsigned long number, int device, const struct row *rows, uint32_t count) {
  struct request request = {.head = {.version = {4, 0, 0}, .data_size = sizeof request, .data_start = sizeof request.head}};
  uint64_t start = 0;
  snprintf(request.head.name, sizeof request.head.name, "%s", names[device]);
  if (number == REQUEST(CREATE)) {
    request.head.flags = PERSISTENT_DEVICE;
    request.head.device = (uint64_t)device;
  }
  request.head.target_count = count;
  for (uint32_t i = 0; i < count; i++) {
    struct target *target = &request.rows[i].target;
    *target = (struct target){.start = start, .length = rows[i].sectors, .next = sizeof request.rows[i]};
    snprintf(target->type, sizeof target->type, "%s", rows[i].type);
    memcpy(request.rows[i].parameters, rows[i].parameters, PARAMETERS_MAX);
    start += rows[i].sectors;
  }
  if (ioctl(control, number, &request) < 0) return errno;
  if (device == DISK && number == REQUEST(SUSPEND)) mapped = makedev(request.head.device >> 8 & 0xfff, request.head.device & 0xff);
  return 0;
}

static int map(int control, int device, const struct row *rows, uint32_t count) {
  int error = ask(control, REQUEST(CREATE), device, NULL, 0);
  if (error != 0) return error;
  error = ask(control, REQUEST(LOAD), device, rows, count);
  if (error == 0) error = ask(control, REQUEST(SUSPEND), device, NULL, 0); /* without its flag: resume */
  if (error != 0) ask(control, REQUEST(REMOVE), device, NULL, 0);
  return error;
}

static int map_disk(int control, const char *seed, const char *store, uint64_t bytes) {
  uint64_t seed_bytes = 0;
  int error = block_size(seed, &seed_bytes);
  if (error != 0) return error;
  if (seed_bytes < bytes) {
    struct row whole[] = {{.sectors = seed_bytes / SECTOR, .type = "linear"}, {.sectors = (bytes - seed_bytes) / SECTOR, .type = "zero"}};
    snprintf(whole[0].parameters, PARAMETERS_MAX, "%s 0", seed);
    error = map(control, SEED, whole, 2);
    if (error != 0) return error;
    seed = "/dev/dm-1";
  }
  struct row disk = {.sectors = bytes / SECTOR, .type = "snapshot"};
  snprintf(disk.parameters, PARAMETERS_MAX, "%s %s P " CHUNK, seed, store);
  error = map(control, DISK, &disk, 1);
  if (error != 0) ask(control, REQUEST(REMOVE), SEED, NULL, 0);
  return error;
}

int layer_map(const char *seed, const char *store, uint64_t bytes) {
  if (strlen(seed) + strlen(store) + sizeof "  P " CHUNK > PARAMETERS_MAX) return ENAMETOOLONG;
  int control = open(CONTROL, O_RDWR | O_CLOEXEC);
  if (control < 0) return errno;
  int error = map_disk(control, seed, store, bytes);
  close(control);
  return error;
}

int layer_unmap(void) {
  int control = open(CONTROL, O_RDWR | O_CLOEXEC);
  if (control < 0) return errno;
  int error = ask(control, REQUEST(REMOVE), DISK, NULL, 0);
  if (error == 0) {
    mapped = 0;
    int other = ask(control, REQUEST(REMOVE), SEED, NULL, 0);
    if (other != ENXIO) error = other;
  }
  close(control);
  return error;
}

dev_t layer_device(void) { return mapped; }
