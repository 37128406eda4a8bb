/* The reader of a line of the list of sockets. */
#include <stdlib.h>
#include <string.h>

#include "../src/socket_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct socket_line line;
  if (!socket_line_read((struct bytes){data, size}, &line)) return 0;
  if (line.path[0] != '/' || line.program[0] != '/' || line.mode > 0777 || line.group == (gid_t)-1) abort();
  if (strnlen(line.path, sizeof line.path) == sizeof line.path || strnlen(line.program, sizeof line.program) == sizeof line.program)
    abort();
  return 0;
}
