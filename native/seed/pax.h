/* Texts of a tar stream, and the records of a pax extended header. */
#ifndef PYRO_SEED_PAX_H
#define PYRO_SEED_PAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tar_text {
  char *bytes; /* ends with a NUL that does not count */
  size_t length;
  size_t room;
  bool set;
};

/* Fields that override a header: pax records and GNU long names, for one entry or for all later ones. */
struct tar_extra {
  struct tar_text path;
  struct tar_text link;
  uint64_t size;
  int64_t mtime;
  uint32_t mtime_ns;
  bool size_set;
  bool mtime_set;
  bool sparse;
  bool attributes;
};

/* A copy of the bytes; false without memory. */
bool tar_text_set(struct tar_text *text, const char *bytes, size_t length);

/* Reads the records of a pax header; false for invalid ones. */
bool pax_parse(struct tar_extra *extra, const char *bytes, size_t length);

/* Whether an attribute of this name, such as user.note, counts. The host's own labels do not. */
bool attribute_counts(const char *name, size_t length);

#endif
