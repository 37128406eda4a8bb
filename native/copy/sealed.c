/* Memory of the kernel's with the content of a file, which no process can change. */
#include "sealed.h"

#include "sparse.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/* A process that maps it privately may write its own pages, also through a descriptor that it opened for writing. */
enum { SEALS = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL };

/* linux/memfd.h since 6.3: MFD_NOEXEC_SEAL. A host may refuse memory without it (vm.memfd_noexec). */
static const unsigned noexec = 0x8U;

static int create(void) {
  int fd = memfd_create("pyro-memory", MFD_CLOEXEC | MFD_ALLOW_SEALING | noexec);
  return fd >= 0 || errno != EINVAL ? fd : memfd_create("pyro-memory", MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

int sealed_copy(int from, off_t size, int *sealed) {
  int error = 0, fd = create();
  if (fd < 0) return errno;
  if (ftruncate(fd, size) != 0)
    error = errno;
  else
    error = sparse_copy(from, fd, size);
  if (error == 0 && fcntl(fd, F_ADD_SEALS, SEALS) != 0) error = errno;
  if (error != 0)
    close(fd);
  else
    *sealed = fd;
  return error;
}
