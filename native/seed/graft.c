/* Adds further directories of the host to the tree at places of their own, such as a new .git. */
#include "source.h"

#include "seed.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

void graft_walk(struct source *graft, struct tree *tree, const char *at, const char *path, unsigned origin) {
  struct file *parent;
  const char *name;
  size_t length;
  struct stat stat;
  source_start(graft, open_source(path, O_DIRECTORY, 1), tree, &stat);
  if (tree_locate(tree, at, strlen(at), true, &parent, &name, &length) != TREE_OK || length == 0)
    die(SEED_REJECTED, "it has something else where %s belongs", at);
  if (tree_find(tree, parent, name, length) != NULL) die(SEED_REJECTED, "it has a %s of its own", at);
  graft->top = tree_file(KIND_DIRECTORY);
  graft->origin = graft->top->origin = origin;
  source_set(graft->top, &stat);
  struct entry *entry = tree_add(tree, parent, name, length, graft->top);
  graft->skip = strlen(tree_path(entry)) + 1;
  source_walk(graft);
}
