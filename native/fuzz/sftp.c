/* Fuzz target of the fields of an SFTP request. The requests themselves would change files of this host. */
#include "../ssh/ssh.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  struct request request = {bytes, size, false};
  char path[PATH_MAX];
  while (request.left > 0 && !request.broken) {
    size_t length;
    switch (take_u8(&request) % 5) {
      case 0: take_u32(&request); break;
      case 1: take_u64(&request); break;
      case 2: take_bytes(&request, &length); break;
      case 3:
        take_path(&request, path);
        if (strlen(path) == 0 || strlen(path) >= sizeof path) abort();
        break;
      default: take_attributes(&request);
    }
  }
  if (request.at < bytes || request.at + request.left > bytes + size) abort();
  return 0;
}
