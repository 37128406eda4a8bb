/* Owner of files that the agent makes for the host: the directory's owner, so that the owner of a tree can change all of it. A helper
 * with a user's rights leaves its files to that user. */
#ifndef PYRO_OWNER_H
#define PYRO_OWNER_H

/* Gives an open file to the owner of the directory `parent`: errno, or 0. */
int owner_give(int parent, int fd);
/* The same for the entry `name` of `directory`, which may be a link. */
int owner_give_entry(int parent, int directory, const char *name);
/* Makes the directory `name` in `parent`, for the owner of that: errno, or 0. */
int owner_make_directory(int parent, const char *name);

#endif
