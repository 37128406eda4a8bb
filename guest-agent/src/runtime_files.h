/* What an image has in a directory over which a tmpfs lies, such as /run. */
#ifndef PYRO_RUNTIME_FILES_H
#define PYRO_RUNTIME_FILES_H

/* Copies the entries of a directory to an existing one: directories, small files and symbolic links, with owners and modes. Bounds count
 * and bytes, follows no link, and passes over everything else: the source is an image's, which may be hostile. A missing source has no
 * entries. Leaves out names of the top level that begin with "pyro". */
void runtime_files_copy(const char *from, const char *to);

#endif
