/* Removal of trees that a hostile guest made: of any depth, with any names. */
#ifndef PYRO_CLEAR_H
#define PYRO_CLEAR_H

/* Removes a file or a link, or all entries beneath a directory. Follows no link there. A missing path is clear. Returns errno, or 0. */
int path_clear(const char *path);

#endif
