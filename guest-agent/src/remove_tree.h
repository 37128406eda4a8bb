/* Removes trees of any depth and with any names. */
#ifndef PYRO_REMOVE_TREE_H
#define PYRO_REMOVE_TREE_H

/* clear.c: removes the entry `name` of a directory, with all entries beneath it. Follows no link. EBUSY where another file system is
 * mounted. 0 or errno. */
int remove_tree(int parent, const char *name);

#endif
