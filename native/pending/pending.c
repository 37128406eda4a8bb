/*
 * pyro-pending: ends with 0 if its standard input has unread bytes, and with 1 otherwise. It reads none of them.
 */
#include <sys/ioctl.h>
#include <unistd.h>

int main(void) {
  int bytes = 0;
  return ioctl(STDIN_FILENO, FIONREAD, &bytes) == 0 && bytes > 0 ? 0 : 1;
}
