#include "machine.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#ifdef __x86_64__
#include <sys/io.h>
#endif

#include "kernel.h"

int link_up(const char *interface) {
  struct ifreq request = {.ifr_flags = 0};
  if (strlen(interface) >= sizeof request.ifr_name) return ENAMETOOLONG;
  memcpy(request.ifr_name, interface, strlen(interface) + 1);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  int error = ioctl(fd, SIOCGIFFLAGS, &request) < 0 ? errno : 0;
  request.ifr_flags |= IFF_UP;
  if (error == 0 && ioctl(fd, SIOCSIFFLAGS, &request) < 0) error = errno;
  close(fd);
  return error;
}

int sync_disks(bool drop_caches) {
  sync();
  if (!drop_caches) return 0;
  int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  int error = write(fd, "3", 1) < 0 ? errno : 0;
  close(fd);
  return error;
}

#ifdef __x86_64__

/* Of the 8254: its ports, and the control word for counter 0, both bytes, mode 0. In that it counts down once and is done. */
enum { COUNTER_0 = 0x40, CONTROL = 0x43, PORTS = 4, ONCE = 0x30 };

int interval_timer_stop(void) {
  if (ioperm(COUNTER_0, PORTS, 1) < 0) return errno;
  outb(ONCE, CONTROL);
  outb(0, COUNTER_0);
  outb(0, COUNTER_0);
  return ioperm(COUNTER_0, PORTS, 0) < 0 ? errno : 0;
}

#else

int interval_timer_stop(void) { return 0; }

#endif
