#include "erofs.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

enum { SUPERBLOCK = 1024, SUPERBLOCK_BYTES = 128, SLOT = 32, SLOT_BITS = 5, EXTENDED_BYTES = 64, ENTRY_BYTES = 12 };
#define MAGIC 0xe0f5e1e2u
/* The one feature that mkfs.erofs sets for images without compressed files: how such files would be padded. */
#define FEATURE_PADDING 1u
enum { LAYOUT_PLAIN = 0, LAYOUT_INLINE = 2 };
enum { ATTRIBUTE_HEADER = 12, ATTRIBUTE_ENTRY = 4 };

static const char *refusal = "";

bool image_refuse(const char *what) {
  refusal = what;
  return false;
}
const char *image_error(void) { return refusal; }

static uint16_t u16(const uint8_t *at) { return (uint16_t)(at[0] | at[1] << 8); }
static uint32_t u32(const uint8_t *at) { return u16(at) | (uint32_t)u16(at + 2) << 16; }
static uint64_t u64(const uint8_t *at) { return u32(at) | (uint64_t)u32(at + 4) << 32; }

static bool piece_of(const struct image *image, uint64_t from, uint64_t size, struct piece *piece) {
  if (from > image->size || size > image->size - from) return image_refuse("an entry lies beyond the end of the image");
  *piece = (struct piece){image->bytes + from, (size_t)size};
  return true;
}

bool image_open(struct image *image, const uint8_t *bytes, uint64_t size) {
  struct piece super;
  *image = (struct image){.bytes = bytes, .size = size};
  if (!piece_of(image, SUPERBLOCK, SUPERBLOCK_BYTES, &super)) return false;
  if (u32(super.bytes) != MAGIC) return image_refuse("the file is no EROFS image");
  image->block_bits = super.bytes[12];
  bool unknown = (u32(super.bytes + 80) & ~FEATURE_PADDING) != 0 || u16(super.bytes + 86) != 0;
  if (unknown || image->block_bits < 9 || image->block_bits > 16) return image_refuse("the image has a form that pyro does not write");
  image->block = 1u << image->block_bits;
  image->root = u16(super.bytes + 14);
  image->built = (struct timespec){(time_t)u64(super.bytes + 24), (long)u32(super.bytes + 32)};
  image->metadata = (uint64_t)u32(super.bytes + 40) << image->block_bits;
  image->attributes = (uint64_t)u32(super.bytes + 44) << image->block_bits;
  return true;
}

/* As new_encode_dev() of the kernel makes it. */
static dev_t device_of(uint32_t encoded) { return makedev((encoded & 0xfff00) >> 8, (encoded & 0xff) | ((encoded >> 12) & 0xfff00)); }

static bool find_content(const struct image *image, unsigned layout, uint32_t at, uint64_t behind, struct inode *inode) {
  uint64_t whole = inode->size, rest = 0;
  if (layout == LAYOUT_INLINE) {
    rest = inode->size % image->block;
    if (rest == 0 && inode->size > 0) rest = image->block;
    whole = inode->size - rest;
  } else if (layout != LAYOUT_PLAIN) {
    return image_refuse("a file of the image is compressed or in chunks");
  }
  if (whole > 0 && !piece_of(image, (uint64_t)at << image->block_bits, whole, &inode->blocks)) return false;
  return rest == 0 || piece_of(image, behind, rest, &inode->rest);
}

static bool has_content(mode_t mode) { return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode); }

bool image_inode(const struct image *image, uint64_t number, struct inode *inode) {
  struct piece piece;
  if (number > image->size >> SLOT_BITS) return image_refuse("an inode lies beyond the end of the image");
  uint64_t offset = image->metadata + (number << SLOT_BITS);
  if (!piece_of(image, offset, SLOT, &piece)) return false;
  uint16_t format = u16(piece.bytes);
  bool extended = (format & 1) != 0;
  if (format >> 4 != 0) return image_refuse("an inode has a form that pyro does not write");
  if (extended && !piece_of(image, offset, EXTENDED_BYTES, &piece)) return false;
  const uint8_t *at = piece.bytes;
  *inode = (struct inode){.number = number, .mode = u16(at + 4)};
  if (extended) {
    inode->size = u64(at + 8);
    inode->uid = u32(at + 24);
    inode->gid = u32(at + 28);
    inode->modified = (struct timespec){(time_t)u64(at + 32), (long)u32(at + 40)};
    inode->links = u32(at + 44);
  } else {
    inode->size = u32(at + 8);
    inode->uid = u16(at + 24);
    inode->gid = u16(at + 26);
    inode->modified = image->built;
    inode->links = u16(at + 6);
  }
  inode->device = device_of(u32(at + 16));
  uint64_t behind = offset + piece.size;
  unsigned count = u16(at + 2);
  if (count > 0) {
    if (!piece_of(image, behind, ATTRIBUTE_HEADER + ATTRIBUTE_ENTRY * (count - 1), &inode->attributes)) return false;
    behind += inode->attributes.size;
  }
  return !has_content(inode->mode) || find_content(image, format >> 1 & 7, u32(at + 16), behind, inode);
}

static bool take_named(const uint8_t *name, size_t length, uint64_t number, take_entry *take, void *context) {
  if (length == 0 || length > NAME_BYTES || memchr(name, '/', length) != NULL)
    return image_refuse("a directory has an entry without a valid name");
  bool is_dot = name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.'));
  return is_dot || take(context, (const char *)name, length, number);
}

/* A block has its entries, and after them the names. */
static bool block_entries(const uint8_t *block, size_t size, take_entry *take, void *context) {
  if (size < ENTRY_BYTES) return image_refuse("a directory ends within an entry");
  size_t names = u16(block + 8), count = names / ENTRY_BYTES;
  if (count == 0 || names > size) return image_refuse("a directory has no valid list of entries");
  for (size_t i = 0; i < count; i++) {
    const uint8_t *entry = block + i * ENTRY_BYTES;
    size_t from = u16(entry + 8), to = i + 1 < count ? u16(entry + ENTRY_BYTES + 8) : size;
    if (from < names || from > to || to > size) return image_refuse("a directory has a name beyond its end");
    const uint8_t *end = memchr(block + from, '\0', to - from);
    if (!take_named(block + from, end != NULL ? (size_t)(end - (block + from)) : to - from, u64(entry), take, context)) return false;
  }
  return true;
}

static bool piece_entries(const struct image *image, struct piece piece, take_entry *take, void *context) {
  for (size_t at = 0; at < piece.size; at += image->block) {
    size_t size = piece.size - at < image->block ? piece.size - at : image->block;
    if (!block_entries(piece.bytes + at, size, take, context)) return false;
  }
  return true;
}

bool image_entries(const struct image *image, const struct inode *directory, take_entry *take, void *context) {
  return piece_entries(image, directory->blocks, take, context) && piece_entries(image, directory->rest, take, context);
}

/* Gives one attribute, and its bytes with those that fill it up. */
static bool attribute_at(struct piece from, take_attribute *take, void *context, size_t *used) {
  static const char *const prefixes[] = {NULL,      "user.",    "system.posix_acl_access", "system.posix_acl_default", "trusted.",
                                         "lustre.", "security."};
  if (from.size < ATTRIBUTE_ENTRY) return image_refuse("an attribute ends within its header");
  size_t length = from.bytes[0], kind = from.bytes[1], value = u16(from.bytes + 2);
  if (length + value > from.size - ATTRIBUTE_ENTRY) return image_refuse("an attribute lies beyond its end");
  if (kind == 0 || kind >= sizeof prefixes / sizeof *prefixes) return image_refuse("an attribute has a kind that pyro does not write");
  char name[ATTRIBUTE_NAME_BYTES + 1];
  size_t prefix = strlen(prefixes[kind]);
  if (prefix + length > ATTRIBUTE_NAME_BYTES || memchr(from.bytes + ATTRIBUTE_ENTRY, '\0', length) != NULL)
    return image_refuse("an attribute has no valid name");
  memcpy(name, prefixes[kind], prefix);
  memcpy(name + prefix, from.bytes + ATTRIBUTE_ENTRY, length);
  name[prefix + length] = '\0';
  *used = ATTRIBUTE_ENTRY + (length + value + 3) / 4 * 4;
  return take(context, name, (struct piece){from.bytes + ATTRIBUTE_ENTRY + length, value});
}

bool image_attributes(const struct image *image, const struct inode *inode, take_attribute *take, void *context) {
  struct piece own = inode->attributes;
  size_t used = 0;
  if (own.size == 0) return true;
  size_t shared = own.bytes[4], at = ATTRIBUTE_HEADER + shared * 4;
  if (at > own.size) return image_refuse("a list of attributes lies beyond its end");
  for (size_t i = 0; i < shared; i++) {
    struct piece piece;
    uint64_t from = image->attributes + (uint64_t)u32(own.bytes + ATTRIBUTE_HEADER + i * 4) * 4;
    if (!piece_of(image, from, 0, &piece)) return false;
    piece.size = (size_t)(image->size - from);
    if (!attribute_at(piece, take, context, &used)) return false;
  }
  /* Zeros fill up what is left. */
  for (; at + ATTRIBUTE_ENTRY <= own.size && u32(own.bytes + at) != 0; at += used)
    if (!attribute_at((struct piece){own.bytes + at, own.size - at}, take, context, &used)) return false;
  return true;
}
