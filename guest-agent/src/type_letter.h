/* Type of a file in records of trees: f d l c b p s. */
#ifndef PYRO_TYPE_LETTER_H
#define PYRO_TYPE_LETTER_H

#include <stdint.h>
#include <sys/stat.h>

static inline uint8_t type_letter(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG: return 'f';
    case S_IFDIR: return 'd';
    case S_IFLNK: return 'l';
    case S_IFCHR: return 'c';
    case S_IFBLK: return 'b';
    case S_IFIFO: return 'p';
    default: return 's';
  }
}

#endif
