/* The parsers of passwd and group, with a name taken from the same bytes. */
#include <stdlib.h>

#include "../src/user.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1) return 0;
  size_t name_size = data[0] % 16 < size - 1 ? data[0] % 16 : size - 1;
  struct bytes name = {data + 1, name_size}, text = {data + 1 + name_size, size - 1 - name_size};
  struct passwd_line line;
  gid_t groups[8];
  if (passwd_by_name(text, name, &line) && (line.home.data < text.data || line.home.data + line.home.size > text.data + text.size)) abort();
  if (passwd_by_uid(text, 1000, &line) && line.uid != 1000) abort();
  if (group_memberships(text, name, groups, 8) > 8) abort();
  return 0;
}
