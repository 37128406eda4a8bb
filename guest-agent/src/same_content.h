/* Whether two files hold the same bytes. */
#ifndef PYRO_SAME_CONTENT_H
#define PYRO_SAME_CONTENT_H

#include <stdbool.h>

/* Two regular files by directory and name; false also for an unreadable file, or a file that is no longer regular. */
bool same_content(int old_directory, int new_directory, const char *name);

#endif
