/*
 * pyro-tap FD COMMAND...: becomes COMMAND in a network namespace of its own.
 *
 * The namespace has the interfaces lo and `guest`, a tap device whose packets COMMAND reads and writes at descriptor FD. The namespace has
 * no name: its last process ends it, and with it the device, its addresses and its firewall. The device has the same hardware address in
 * every namespace, so that a guest that goes on in another one knows its gateway.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/ipv6.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* The guest's gateway and nameserver: 198.18.0.2/24. */
static const unsigned char gateway[4] = {198, 18, 0, 2}, netmask[4] = {255, 255, 255, 0};
/* The guest's gateway of IPv6: fd70:7972:6f00::2/64. */
static const struct in6_addr gateway6 = {{{0xfd, 0x70, 0x79, 0x72, 0x6f, [15] = 2}}};
static const unsigned char hardware[6] = {0x52, 0x54, 0x00, 0x70, 0x79, 0x02};
#define DEVICE "guest"

#define SETTINGS6 "/proc/sys/net/ipv6/conf/"

enum { CANNOT_START = 125, LONGEST_NUMBER = 4, PREFIX6 = 64 };

static void fail(const char *what) {
  fprintf(stderr, "pyro-tap: %s: %s\n", what, strerror(errno));
  exit(CANNOT_START);
}

static void write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);

  if (fd < 0 || write(fd, text, strlen(text)) < 0) fail(path);
  close(fd);
}

/* Packets come with a header for offloads, which QEMU finds out by itself. */
static int open_device(void) {
  struct ifreq request = {.ifr_name = DEVICE, .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
  int fd = open("/dev/net/tun", O_RDWR);

  if (fd < 0) fail("/dev/net/tun");
  if (ioctl(fd, TUNSETIFF, &request) < 0) fail("TUNSETIFF");
  return fd;
}

static void change(int sock, unsigned long what, struct ifreq *request, const char *name) {
  if (ioctl(sock, what, request) < 0) fail(name);
}

static struct ifreq with_address(const unsigned char address[4]) {
  struct ifreq request = {.ifr_name = DEVICE};
  struct sockaddr_in to = {.sin_family = AF_INET};

  memcpy(&to.sin_addr, address, 4);
  memcpy(&request.ifr_addr, &to, sizeof(to));
  return request;
}

static void set_up(int sock, const char *device) {
  struct ifreq request = {.ifr_flags = IFF_UP | IFF_RUNNING};

  strcpy(request.ifr_name, device);
  change(sock, SIOCSIFFLAGS, &request, device);
}

static void configure(void) {
  int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq link = {.ifr_name = DEVICE};
  struct ifreq address = with_address(gateway), mask = with_address(netmask);

  if (sock < 0) fail("socket");
  link.ifr_hwaddr.sa_family = ARPHRD_ETHER;
  memcpy(link.ifr_hwaddr.sa_data, hardware, sizeof(hardware));
  change(sock, SIOCSIFHWADDR, &link, "SIOCSIFHWADDR");
  change(sock, SIOCSIFADDR, &address, "SIOCSIFADDR");
  change(sock, SIOCSIFNETMASK, &mask, "SIOCSIFNETMASK");
  set_up(sock, "lo");
  set_up(sock, DEVICE);
  close(sock);
}

/* The device's address counts at once: no other device has it. */
static void configure6(void) {
  int sock = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct in6_ifreq address = {.ifr6_addr = gateway6, .ifr6_prefixlen = PREFIX6, .ifr6_ifindex = (int)if_nametoindex(DEVICE)};

  if (sock < 0) fail("socket");
  write_file(SETTINGS6 "all/disable_ipv6", "0");
  write_file(SETTINGS6 DEVICE "/accept_dad", "0");
  write_file(SETTINGS6 "all/forwarding", "1");
  if (ioctl(sock, SIOCSIFADDR, &address) < 0) fail("address of IPv6");
  close(sock);
}

int main(int count, char **arguments) {
  char *end = NULL;
  long number = count < 3 ? -1 : strtol(arguments[1], &end, 10);

  if (number < 3 || *end != '\0' || strlen(arguments[1]) > LONGEST_NUMBER) {
    fprintf(stderr, "use: pyro-tap FD COMMAND...\n");
    return CANNOT_START;
  }
  if (unshare(CLONE_NEWNET) < 0) fail("network namespace");
  int fd = open_device();

  /* The settings of this namespace: /proc/sys/net shows those of the reader. A kernel without IPv6 has none of IPv6. */
  if (access(SETTINGS6, F_OK) == 0) configure6();
  configure();
  write_file("/proc/sys/net/ipv4/ip_forward", "1");
  if (fd != number && (dup2(fd, (int)number) < 0 || close(fd) < 0)) fail("descriptor");
  execvp(arguments[2], arguments + 2);
  fail(arguments[2]);
}
