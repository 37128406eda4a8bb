/*
 * Directories in the kernel's form: one linear block, or from two blocks on a hash tree (dir_index). Written whole, because adding
 * single names through libext2fs takes quadratic time.
 */
#include "image.h"

#include "seed.h"

#include <stdlib.h>
#include <string.h>

enum {
  TAIL = sizeof(struct ext2_dir_entry_tail),
  HEAD = 8, /* of an entry: inode, length of the record, length of the name, type */
  USABLE = BLOCK - TAIL,
  LEAF_FILL = USABLE * 7 / 8, /* leaves room for the guest's own names before a block has to be split */
  ROOT_LIMIT = (BLOCK - 32 - (int)sizeof(struct ext2_dx_tail)) / (int)sizeof(struct ext2_dx_entry),
  NODE_LIMIT = (BLOCK - 8 - (int)sizeof(struct ext2_dx_tail)) / (int)sizeof(struct ext2_dx_entry),
  MOST_LEAVES = 4 * LONGEST_PIECE - 512, /* entries in the inode's four extents, with the nodes */
  CONTINUED = 1                          /* lowest bit of a block's hash: names of the previous block continue here */
};

struct writer {
  unsigned char *blocks;
  size_t count;
  size_t room;
  size_t used; /* of the last block */
  struct ext2_dir_entry *last;
};

static size_t record_length(size_t name_length) { return (HEAD + name_length + 3) & ~(size_t)3; }

static unsigned char *add_block(struct writer *writer) {
  if (writer->count == writer->room) {
    size_t room = writer->room == 0 ? 4 : writer->room * 2;
    unsigned char *blocks = realloc(writer->blocks, room * BLOCK);
    if (blocks == NULL) die(SEED_FAILED, "out of memory");
    writer->blocks = blocks;
    writer->room = room;
  }
  unsigned char *block = writer->blocks + writer->count++ * BLOCK;
  memset(block, 0, BLOCK);
  writer->used = 0;
  writer->last = NULL;
  return block;
}

static void set_record(struct ext2_dir_entry *entry, size_t length) { entry->rec_len = (uint16_t)length; }

/* The last entry of a block extends to its end, before the checksum. */
static void close_block(struct image *image, struct writer *writer) {
  unsigned char *block = writer->blocks + (writer->count - 1) * BLOCK;
  if (writer->last != NULL) set_record(writer->last, (size_t)(block + USABLE - (unsigned char *)writer->last));
  ext2fs_initialize_dirent_tail(image->fs, (struct ext2_dir_entry_tail *)(void *)(block + USABLE));
}

static void put(struct writer *writer, uint32_t inode, const char *name, size_t length, int type) {
  unsigned char *block = writer->blocks + (writer->count - 1) * BLOCK;
  struct ext2_dir_entry *entry = (struct ext2_dir_entry *)(void *)(block + writer->used);
  entry->inode = inode;
  ext2fs_dirent_set_name_len(entry, (int)length);
  ext2fs_dirent_set_file_type(entry, type);
  memcpy(entry->name, name, length);
  set_record(entry, record_length(length));
  writer->used += record_length(length);
  writer->last = entry;
}

static int type_of(const struct file *file) {
  return file->kind == KIND_DIRECTORY ? EXT2_FT_DIR : file->kind == KIND_SYMLINK ? EXT2_FT_SYMLINK : EXT2_FT_REG_FILE;
}

static void put_entry(struct writer *writer, const struct entry *entry) {
  put(writer, entry->file->inode, entry->name, entry->length, type_of(entry->file));
}

static int by_hash(const void *left, const void *right) {
  const struct entry *a = *(struct entry *const *)left, *b = *(struct entry *const *)right;
  for (int i = 0; i < 2; i++)
    if (a->position[i] != b->position[i]) return a->position[i] < b->position[i] ? -1 : 1;
  return 0;
}

static void sort_by_hash(struct image *image, struct entry **entries, size_t count) {
  const struct ext2_super_block *super = image->fs->super;
  for (size_t i = 0; i < count; i++) {
    long error = ext2fs_dirhash(super->s_def_hash_version + 3 /* unsigned */, entries[i]->name, entries[i]->length, super->s_hash_seed,
                                &entries[i]->position[0], &entries[i]->position[1]);
    if (error != 0) image_failed("cannot hash a name", error);
  }
  qsort(entries, count, sizeof *entries, by_hash);
}

/* Fills leaves in the order of hashes and notes the hash that each begins with. */
static uint32_t *put_leaves(struct image *image, struct writer *writer, struct entry **entries, size_t count) {
  uint32_t *firsts = malloc((count + 1) * sizeof *firsts), leaves = 0;
  if (firsts == NULL) die(SEED_FAILED, "out of memory");
  for (size_t i = 0; i < count; i++) {
    size_t length = record_length(entries[i]->length);
    if (i == 0 || writer->used + length > LEAF_FILL) {
      if (i > 0) close_block(image, writer);
      add_block(writer);
      uint32_t split = i > 0 && entries[i - 1]->position[0] == entries[i]->position[0] ? CONTINUED : 0;
      firsts[leaves++] = i == 0 ? 0 : entries[i]->position[0] | split;
    }
    put_entry(writer, entries[i]);
  }
  close_block(image, writer);
  return firsts;
}

/* An index: the first slot holds limit and count instead of a hash. */
static void put_index(unsigned char *at, size_t limit, const uint32_t *firsts, size_t step, size_t count, uint32_t first_block) {
  struct ext2_dx_entry *slots = (struct ext2_dx_entry *)(void *)at;
  struct ext2_dx_countlimit *head = (struct ext2_dx_countlimit *)(void *)at;
  for (size_t i = 0; i < count; i++) {
    slots[i].hash = firsts[i * step];
    slots[i].block = first_block + (uint32_t)i;
  }
  head->limit = (uint16_t)limit;
  head->count = (uint16_t)count;
}

/* Block 0 is the root of the tree. It begins with "." and ".." so that a kernel without dir_index can read it, too. */
static void put_root(struct image *image, struct writer *writer, const struct file *directory, uint32_t parent) {
  unsigned char *block = add_block(writer);
  put(writer, directory->inode, ".", 1, EXT2_FT_DIR);
  put(writer, parent, "..", 2, EXT2_FT_DIR);
  set_record(writer->last, BLOCK - record_length(1));
  struct ext2_dx_root_info *info = (struct ext2_dx_root_info *)(void *)(block + 2 * record_length(1));
  info->hash_version = image->fs->super->s_def_hash_version;
  info->info_length = sizeof *info;
}

static void put_hash_tree(struct image *image, struct writer *writer, const struct file *directory, uint32_t parent, struct entry **entries,
                          size_t count) {
  const size_t root_at = 2 * 12 + sizeof(struct ext2_dx_root_info);
  sort_by_hash(image, entries, count);
  put_root(image, writer, directory, parent);
  uint32_t *firsts = put_leaves(image, writer, entries, count);
  size_t leaves = writer->count - 1;
  if (leaves <= ROOT_LIMIT) {
    put_index(writer->blocks + root_at, ROOT_LIMIT, firsts, 1, leaves, 1);
  } else {
    size_t nodes = (leaves + NODE_LIMIT - 1) / NODE_LIMIT, first_node = writer->count;
    if (nodes > ROOT_LIMIT || leaves > MOST_LEAVES) die(SEED_REJECTED, "a directory of %zu names is too large", count);
    for (size_t n = 0; n < nodes; n++) {
      size_t from = n * NODE_LIMIT, part = leaves - from < NODE_LIMIT ? leaves - from : NODE_LIMIT;
      unsigned char *block = add_block(writer);
      set_record((struct ext2_dir_entry *)(void *)block, BLOCK); /* an unused entry over the whole block */
      put_index(block + HEAD, NODE_LIMIT, firsts + from, 1, part, (uint32_t)from + 1);
    }
    put_index(writer->blocks + root_at, ROOT_LIMIT, firsts, NODE_LIMIT, nodes, (uint32_t)first_node);
    ((struct ext2_dx_root_info *)(void *)(writer->blocks + 2 * record_length(1)))->indirect_levels = 1;
  }
  free(firsts);
}

static void put_linear(struct image *image, struct writer *writer, const struct file *directory, uint32_t parent, struct entry **entries,
                       size_t count) {
  add_block(writer);
  put(writer, directory->inode, ".", 1, EXT2_FT_DIR);
  put(writer, parent, "..", 2, EXT2_FT_DIR);
  for (size_t i = 0; i < count; i++) put_entry(writer, entries[i]);
  close_block(image, writer);
}

static size_t collect(const struct file *directory, struct entry **entries, size_t *bytes) {
  size_t count = 0;
  *bytes = 2 * record_length(1);
  for (uint32_t c = 0; c < directory->child_count; c++) {
    struct entry *entry = directory->children[c];
    if (entry->file->gone) continue;
    entries[count++] = entry;
    *bytes += record_length(entry->length);
  }
  return count;
}

void directory_write(struct image *image, struct file *directory, uint32_t parent_inode) {
  static struct writer writer; /* its memory is used again */
  struct entry **entries = malloc((directory->child_count + 1u) * sizeof(struct entry *));
  size_t bytes;
  if (entries == NULL) die(SEED_FAILED, "out of memory");
  size_t count = collect(directory, entries, &bytes);
  writer.count = 0;
  if (bytes <= USABLE)
    put_linear(image, &writer, directory, parent_inode, entries, count);
  else
    put_hash_tree(image, &writer, directory, parent_inode, entries, count);
  free(entries);

  for (size_t i = 0; i < writer.count; i++) {
    long error = ext2fs_dir_block_csum_set(image->fs, directory->inode, (struct ext2_dir_entry *)(void *)(writer.blocks + i * BLOCK));
    if (error != 0) image_failed("cannot checksum a directory", error);
  }
  directory->piece_count = (uint32_t)((writer.count + LONGEST_PIECE - 1) / LONGEST_PIECE);
  directory->pieces = arena(directory->piece_count * sizeof *directory->pieces);
  for (uint32_t p = 0; p < directory->piece_count; p++) {
    uint32_t from = p * LONGEST_PIECE, part = (uint32_t)writer.count - from;
    part = part > LONGEST_PIECE ? LONGEST_PIECE : part;
    directory->pieces[p] = (struct piece){from, part, image_allocate(image, part)};
    image_write(image, writer.blocks + (size_t)from * BLOCK, (size_t)part * BLOCK, directory->pieces[p].physical);
  }
  directory->size = writer.count * BLOCK;
}
