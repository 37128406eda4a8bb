/* Completes an image of a tree whose contents it already has: inodes, directories, journal, checksums. */
#include "image.h"

#include "seed.h"

#include <errno.h>
#include <string.h>

enum {
  PIECES_IN_INODE = 4,
  MOST_LINKS = 65000, /* EXT4_LINK_MAX of the kernel; a directory with more has a link count of 1 */
  FAST_SYMLINK = 60   /* targets shorter than this are in the inode */
};

static const int64_t latest_time = (INT64_C(1) << 34) - (INT64_C(1) << 31) - 1; /* 34 bits, from 1901 (ext4 on-disk format) */

static void set_time(uint32_t *low, uint32_t *extra, int64_t seconds, uint32_t nanoseconds) {
  if (seconds > latest_time) seconds = latest_time;
  if (seconds < INT32_MIN) seconds = INT32_MIN;
  *low = (uint32_t)seconds;
  *extra = (uint32_t)(((seconds - (int32_t)(uint32_t)seconds) >> 32) & 3) | nanoseconds << 2;
}

static struct ext2_inode_large inode_of(const struct file *file, struct owner owner) {
  struct ext2_inode_large inode;
  uint16_t type = file->kind == KIND_DIRECTORY ? LINUX_S_IFDIR : file->kind == KIND_SYMLINK ? LINUX_S_IFLNK : LINUX_S_IFREG;
  memset(&inode, 0, sizeof inode);
  inode.i_mode = (uint16_t)(type | file->mode);
  inode.i_uid = (uint16_t)owner.uid;
  inode.i_gid = (uint16_t)owner.gid;
  ext2fs_set_i_uid_high(inode, (uint16_t)(owner.uid >> 16));
  ext2fs_set_i_gid_high(inode, (uint16_t)(owner.gid >> 16));
  inode.i_links_count = file->kind == KIND_DIRECTORY && file->links >= MOST_LINKS ? 1 : (uint16_t)file->links;
  inode.i_extra_isize = sizeof inode - EXT2_GOOD_OLD_INODE_SIZE;
  inode.i_size = (uint32_t)file->size;
  inode.i_size_high = (uint32_t)(file->size >> 32);
  set_time(&inode.i_mtime, &inode.i_mtime_extra, file->mtime, file->mtime_ns);
  inode.i_atime = inode.i_mtime;
  inode.i_atime_extra = inode.i_mtime_extra;
  inode.i_ctime = inode.i_crtime = (uint32_t)seed_epoch;
  return inode;
}

/* The head of an extent tree within the inode, with the pieces that fit. Returns the number of covered blocks. */
static uint64_t set_extents(struct ext2_inode_large *inode, const struct file *file) {
  struct ext3_extent_header *header = (struct ext3_extent_header *)(void *)inode->i_block;
  struct ext3_extent *extent = EXT_FIRST_EXTENT(header);
  uint64_t blocks = 0;
  inode->i_flags |= EXT4_EXTENTS_FL;
  header->eh_magic = EXT3_EXT_MAGIC;
  header->eh_max = PIECES_IN_INODE;
  if (file->piece_count > PIECES_IN_INODE) return 0;
  for (uint32_t i = 0; i < file->piece_count; i++, extent++) {
    extent->ee_block = file->pieces[i].logical;
    extent->ee_len = (uint16_t)file->pieces[i].count;
    extent->ee_start = (uint32_t)file->pieces[i].physical;
    extent->ee_start_hi = (uint16_t)(file->pieces[i].physical >> 32);
    blocks += file->pieces[i].count;
  }
  header->eh_entries = (uint16_t)file->piece_count;
  return blocks;
}

/* A file in many pieces gets a tree of extents from libext2fs. */
static void insert_extents(struct image *image, const struct file *file) {
  ext2_extent_handle_t handle;
  long error = ext2fs_extent_open2(image->fs, file->inode, NULL, &handle);
  uint64_t blocks = 0;
  if (error != 0) image_failed("cannot open an extent tree", error);
  for (uint32_t i = 0; i < file->piece_count; i++) {
    struct ext2fs_extent extent = {.e_lblk = file->pieces[i].logical,
                                   .e_pblk = file->pieces[i].physical,
                                   .e_len = file->pieces[i].count,
                                   .e_flags = EXT2_EXTENT_FLAGS_LEAF};
    error = ext2fs_extent_insert(handle, EXT2_EXTENT_INSERT_AFTER, &extent);
    if (error != 0) image_failed("cannot extend an extent tree", error);
    error = ext2fs_extent_fix_parents(handle);
    if (error != 0) image_failed("cannot extend an extent tree", error);
    blocks += file->pieces[i].count;
  }
  ext2fs_extent_free(handle);
  struct ext2_inode inode;
  error = ext2fs_read_inode(image->fs, file->inode, &inode);
  if (error == 0) error = ext2fs_iblk_add_blocks(image->fs, &inode, blocks);
  if (error == 0) error = ext2fs_write_inode(image->fs, file->inode, &inode);
  if (error != 0) image_failed("cannot write an inode", error);
}

static void put_symlink(struct image *image, struct file *file) {
  unsigned char block[BLOCK] = {0};
  file->size = strlen(file->target);
  if (file->size < FAST_SYMLINK) return;
  memcpy(block, file->target, (size_t)file->size);
  struct piece *piece = arena(sizeof *piece);
  *piece = (struct piece){0, 1, image_allocate(image, 1)};
  image_write(image, block, sizeof block, piece->physical);
  file->pieces = piece;
  file->piece_count = 1;
}

static void write_inode(struct image *image, const struct file *file, struct owner owner) {
  struct ext2_inode_large inode = inode_of(file, owner);
  uint64_t blocks = 0;
  if (file->kind == KIND_SYMLINK && file->size < FAST_SYMLINK)
    memcpy(inode.i_block, file->target, (size_t)file->size);
  else
    blocks = set_extents(&inode, file);
  if (file->kind == KIND_DIRECTORY && file->size > BLOCK) inode.i_flags |= EXT2_INDEX_FL;
  long error = ext2fs_iblk_set(image->fs, (struct ext2_inode *)(void *)&inode, blocks);
  if (error == 0) error = ext2fs_write_inode_full(image->fs, file->inode, (struct ext2_inode *)(void *)&inode, sizeof inode);
  if (error != 0) image_failed("cannot write an inode", error);
}

static void take_inode(struct image *image, struct file *file, ext2_ino_t *next) {
  if (file->inode != 0) /* a hard link */
    return;
  if (*next > image->fs->super->s_inodes_count)
    die(SEED_REJECTED, "more than %u files, a disk of this size has no room for more", image->fs->super->s_inodes_count);
  file->inode = (*next)++;
  ext2fs_inode_alloc_stats2(image->fs, file->inode, +1, file->kind == KIND_DIRECTORY);
}

/*
 * Everything below one directory that the list of directories reaches. Numbers come first, since directories contain them. The tree
 * `owned`, one of the directories, gets its owner; the rest belongs to root.
 */
static void write_tree(struct image *image, struct file **directories, size_t count, struct file *root, const struct tree *owned) {
  const struct owner super = {0, 0};

  ext2_ino_t next = EXT2_FIRST_INODE(image->fs->super);
  for (size_t d = 0; d < count; d++)
    for (uint32_t c = 0; c < directories[d]->child_count; c++)
      if (!directories[d]->children[c]->file->gone) take_inode(image, directories[d]->children[c]->file, &next);
  for (size_t d = 0; d < count; d++) {
    struct file *directory = directories[d];
    for (uint32_t c = 0; c < directory->child_count; c++)
      if (directory->children[c]->file->kind == KIND_SYMLINK) put_symlink(image, directory->children[c]->file);
    directory_write(image, directory, directory == root ? root->inode : directory->self->parent->inode);
  }
  /* Inode tables are written in their own order, by the numbers from the directories list. */
  write_inode(image, root, super);
  ext2_ino_t written = EXT2_FIRST_INODE(image->fs->super);
  for (size_t d = 0; d < count; d++)
    for (uint32_t c = 0; c < directories[d]->child_count; c++) {
      struct file *file = directories[d]->children[c]->file;
      if (file->gone || file->inode < written) continue;
      write_inode(image, file, d > 0 || file == owned->top ? owned->owner : super);
      written = file->inode + 1;
      if (file->piece_count > PIECES_IN_INODE) insert_extents(image, file);
    }
}

static void set_ids(struct image *image, const unsigned char digest[DIGEST_BYTES]) {
  struct ext2_super_block *super = image->fs->super;
  memcpy(super->s_uuid, digest, sizeof super->s_uuid);
  super->s_uuid[6] = (super->s_uuid[6] & 0x0f) | 0x80; /* version 8: of our own making (RFC 9562) */
  super->s_uuid[8] = (super->s_uuid[8] & 0x3f) | 0x80;
  memcpy(super->s_hash_seed, digest + 16, sizeof super->s_hash_seed);
  ext2fs_init_csum_seed(image->fs);
}

static void add_journal(struct image *image) {
  long error =
      ext2fs_add_journal_inode2(image->fs, journal_blocks(image), image->next, EXT2_MKJOURNAL_LAZYINIT | EXT2_MKJOURNAL_NO_MNT_CHECK);
  if (error != 0) image_failed("cannot add a journal", error);
}

static struct file *top_folder(struct tree *frame, const char *name, struct file *folder) {
  folder->mode = 0755;
  tree_add(frame, frame->top, name, strlen(name), folder);
  return folder;
}

void image_finish(struct image *image, struct tree *tree, const unsigned char digest[DIGEST_BYTES]) {
  struct tree frame;
  set_ids(image, digest);
  for (ext2_ino_t inode = 1; inode < EXT2_FIRST_INODE(image->fs->super); inode++)
    ext2fs_inode_alloc_stats2(image->fs, inode, +1, inode == EXT2_ROOT_INO);
  tree_start(&frame, 3, seed_epoch);
  struct file *upper = top_folder(&frame, "upper", tree_file(KIND_DIRECTORY));
  struct file *work = top_folder(&frame, "work", tree_file(KIND_DIRECTORY));
  upper->mtime = work->mtime = seed_epoch;
  top_folder(&frame, "workspace", tree->top);
  frame.top->inode = EXT2_ROOT_INO;

  size_t count = tree->directory_count + 3;
  struct file **directories = arena(count * sizeof(struct file *));
  directories[0] = frame.top;
  directories[1] = upper;
  directories[2] = work;
  memcpy(directories + 3, tree->directories, tree->directory_count * sizeof(struct file *));
  write_tree(image, directories, count, frame.top, tree);
  add_journal(image);

  long error = ext2fs_set_gdt_csum(image->fs);
  if (error == 0) {
    ext2fs_mark_super_dirty(image->fs);
    ext2fs_mark_ib_dirty(image->fs);
    ext2fs_mark_bb_dirty(image->fs);
    error = ext2fs_close2(image->fs, EXT2_FLAG_FLUSH_NO_SYNC);
  }
  if (error != 0) image_failed("cannot close the file system", error);
  image->fs = NULL;
}
