/* Fuzz target of the image reader: any bytes after a valid superblock. All content that it names is in the image. */
#include "../erofs/erofs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { IMAGE_BYTES = 1 << 16, SUPERBLOCK = 1024, VISITS_MAX = 500, DEPTH_MAX = 20 };

static uint8_t bytes_of_image[IMAGE_BYTES];

struct visit {
  const struct image *image;
  unsigned *visits, depth;
};

static void read_all(struct piece piece) {
  static volatile uint8_t sum;
  for (size_t i = 0; i < piece.size; i += 64) sum = (uint8_t)(sum + piece.bytes[i]);
  if (piece.size > 0) sum = (uint8_t)(sum + piece.bytes[piece.size - 1]);
}

static bool take_value(void *context, const char *name, struct piece value) {
  (void)context;
  if (strlen(name) == 0 || strlen(name) > ATTRIBUTE_NAME_BYTES) abort();
  read_all(value);
  return true;
}

static void visit(struct visit at, uint64_t number);

static bool take_name(void *context, const char *name, size_t length, uint64_t number) {
  const struct visit *at = context;
  bool is_dot = length <= 2 && memcmp(name, "..", length) == 0;
  if (length == 0 || length > NAME_BYTES || is_dot || memchr(name, '/', length) != NULL || memchr(name, 0, length) != NULL) abort();
  visit(*at, number);
  return *at->visits < VISITS_MAX;
}

static void visit(struct visit at, uint64_t number) {
  struct inode inode;
  if (++*at.visits > VISITS_MAX || ++at.depth > DEPTH_MAX || !image_inode(at.image, number, &inode)) return;
  bool has_content = S_ISREG(inode.mode) || S_ISDIR(inode.mode) || S_ISLNK(inode.mode);
  if (has_content && inode.blocks.size + inode.rest.size != inode.size) abort();
  read_all(inode.blocks);
  read_all(inode.rest);
  image_attributes(at.image, &inode, take_value, NULL);
  if (S_ISDIR(inode.mode)) image_entries(at.image, &inode, take_name, &at);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  static const uint8_t magic[] = {0xe2, 0xe1, 0xf5, 0xe0};
  struct image image;
  unsigned visits = 0;
  if (length > IMAGE_BYTES - SUPERBLOCK) length = IMAGE_BYTES - SUPERBLOCK;
  memset(bytes_of_image, 0, sizeof bytes_of_image);
  memcpy(bytes_of_image + SUPERBLOCK, bytes, length);
  memcpy(bytes_of_image + SUPERBLOCK, magic, sizeof magic);
  uint8_t *exact = malloc(SUPERBLOCK + length);
  if (exact == NULL) abort();
  memcpy(exact, bytes_of_image, SUPERBLOCK + length);
  if (image_open(&image, exact, SUPERBLOCK + length)) visit((struct visit){&image, &visits, 0}, image.root);
  free(exact);
  return 0;
}
