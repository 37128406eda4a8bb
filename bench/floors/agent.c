/*
 * The floor's guest agent: PID 1 of an initramfs, as small as possible. It shares nothing with the product's agent, whose
 * figures are compared with it. It trusts its host, serves one request at a time and puts speed above convenience.
 *
 *   request: u8 operation, u32 length, payload       answer: u32 errno, u32 length, payload       (little endian)
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* linux/random.h, which a musl installation does not see */
static const unsigned long rnd_add_entropy = 0x40085203UL;
static const unsigned long rnd_reseed_crng = 0x5207UL;

enum {
    ENTROPY = 64,
    MAX_ARGS = 64,
    MAX_PAYLOAD = 65536,
    WRITE = 32768, /* the kernel's port takes no more at once */
    PIPE = 1 << 20,
    PIECE = 1 << 20, /* one read or write of a program with much to send */
    READ = 256 * 1024
};

static int port = -1;
static char payload[MAX_PAYLOAD + 1];
static char bulk[WRITE] __attribute__((aligned(4096)));

static void give_up(const char *what)
{
    int console = open("/dev/console", O_WRONLY);
    dprintf(console, "floor agent: %s: %s\n", what, strerror(errno));
    reboot(RB_POWER_OFF);
    for (;;)
        pause();
}

static void read_whole(void *to, size_t length)
{
    for (size_t got = 0; got < length;) {
        ssize_t n = read(port, (char *)to + got, length - got);
        if (n > 0)
            got += (size_t)n;
        else if (n == 0) /* no host is connected */
            usleep(1000);
        else if (errno != EINTR && errno != EAGAIN)
            give_up("read");
    }
}

static void write_whole(const void *from, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t n = write(port, (const char *)from + done, length - done);
        if (n > 0)
            done += (size_t)n;
        else if (n < 0 && errno != EINTR && errno != EAGAIN)
            give_up("write");
    }
}

static void answer(int error, const void *bytes, size_t length)
{
    char frame[8 + MAX_PAYLOAD];
    uint32_t head[2] = {(uint32_t)error, (uint32_t)length};
    memcpy(frame, head, sizeof head);
    memcpy(frame + sizeof head, bytes, length);
    write_whole(frame, sizeof head + length);
}

/* Splits NUL-terminated words; the list ends with NULL. */
static size_t split(char *at, size_t length, char **words)
{
    size_t count = 0;
    for (char *end = at + length; at < end && count < MAX_ARGS; at += strlen(at) + 1)
        words[count++] = at;
    words[count] = NULL;
    return count;
}

static void load_module(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "/modules/%s", name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) != 0 && errno != EEXIST))
        give_up(path);
    close(fd);
}

static void load_modules(void)
{
    char line[200];
    FILE *order = fopen("/modules/order", "re");
    if (order == NULL)
        give_up("/modules/order");
    while (fgets(line, sizeof line, order) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '\0')
            load_module(line);
    }
    fclose(order);
}

/* payload: u64 wall clock in ns, then entropy. Clones of one memory otherwise return the same random bytes. */
static int reseed(void)
{
    struct {
        int bits, bytes;
        char entropy[ENTROPY];
    } pool = {ENTROPY * 8, ENTROPY, {0}};
    uint64_t ns;
    memcpy(&ns, payload, sizeof ns);
    memcpy(pool.entropy, payload + sizeof ns, ENTROPY);
    int fd = open("/dev/urandom", O_RDWR | O_CLOEXEC);
    struct timespec now = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    int failed = fd < 0 || ioctl(fd, rnd_add_entropy, &pool) != 0 || ioctl(fd, rnd_reseed_crng) != 0 ||
                 clock_settime(CLOCK_REALTIME, &now) != 0;
    int error = failed ? errno : 0;
    if (fd >= 0)
        close(fd);
    return error;
}

/* payload: source, target, type, data; flags by type */
static int mount_it(size_t length)
{
    char *word[MAX_ARGS + 1];
    if (split(payload, length, word) < 4)
        return EINVAL;
    unsigned long flags = MS_NOATIME;
    if (strcmp(word[2], "erofs") == 0)
        flags |= MS_RDONLY;
    if (strcmp(word[2], "bind") == 0)
        flags = MS_BIND;
    if (mkdir(word[1], 0755) != 0 && errno != EEXIST)
        return errno;
    return mount(word[0], word[1], word[2], flags, word[3]) == 0 ? 0 : errno;
}

static pid_t start(const char *root, char **argv, int output)
{
    static char *const environment[] = {"PATH=/usr/bin:/bin", "LANG=C.UTF-8", NULL};
    pid_t child = vfork();
    if (child != 0)
        return child;
    if (output >= 0) {
        dup2(output, 1);
        dup2(output, 2);
    }
    if (chroot(root) != 0 || chdir("/") != 0)
        _exit(125);
    execve(argv[0], argv, environment);
    _exit(127);
}

/* payload: root, argv. The answer is the output that fits and the exit status in place of an errno. */
static void run(size_t length)
{
    char *word[MAX_ARGS + 1];
    static char output[MAX_PAYLOAD];
    int ends[2], status = 0;
    size_t got = 0;
    if (split(payload, length, word) < 2 || pipe2(ends, O_CLOEXEC) != 0)
        give_up("run");
    pid_t child = start(word[0], word + 1, ends[1]);
    close(ends[1]);
    for (ssize_t n; got < sizeof output && (n = read(ends[0], output + got, sizeof output - got)) > 0;)
        got += (size_t)n;
    close(ends[0]);
    waitpid(child, &status, 0);
    answer(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), output, got);
}

static uint64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* payload: root, argv. The answer: nanoseconds of one vfork + exec + wait. */
static void time_run(size_t length)
{
    char *word[MAX_ARGS + 1];
    int status = 0;
    if (split(payload, length, word) < 2)
        give_up("time");
    uint64_t before = monotonic_ns();
    pid_t child = start(word[0], word + 1, -1);
    waitpid(child, &status, 0);
    uint64_t took = monotonic_ns() - before;
    answer(WIFEXITED(status) ? WEXITSTATUS(status) : 255, &took, sizeof took);
}

/* Answers with one byte after the terminal has echoed the byte, as it does for a program that reads lines. */
static void echo_terminal(void)
{
    static int terminal = -1, program = -1;
    char byte = 'x';
    if (terminal < 0) {
        mkdir("/dev/pts", 0755);
        mount("pts", "/dev/pts", "devpts", 0, "ptmxmode=0666");
        terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (terminal < 0 || unlockpt(terminal) != 0)
            give_up("terminal");
        program = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (program < 0)
            give_up("program of the terminal");
    }
    /* A full line would be echoed no further. */
    tcflush(program, TCIFLUSH);
    if (write(terminal, &byte, 1) != 1 || read(terminal, &byte, 1) != 1)
        give_up("echo");
    answer(0, &byte, 1);
}

/* payload: targets, unmounted in their order. */
static int unmount_all(size_t length)
{
    char *word[MAX_ARGS + 1];
    size_t count = split(payload, length, word);
    for (size_t i = 0; i < count; i++)
        if (umount2(word[i], 0) != 0)
            return errno;
    return 0;
}

/* payload: u32 MiB. The answer's head says 0 bytes; the MiB follow it without any frame. */
static void pour(void)
{
    uint32_t mib;
    memcpy(&mib, payload, sizeof mib);
    answer(0, "", 0);
    for (uint64_t left = (uint64_t)mib << 20; left > 0; left -= WRITE)
        write_whole(bulk, WRITE);
}

/*
 * payload: root, argv. The answer's head says 0 bytes; the command's output follows it without any frame, credit or copy kept back.
 * The pipe is as large as an ordinary user may make one: with the default of 64 KiB the same takes 1.7 times as long under TCG.
 */
static void relay(size_t length)
{
    char *word[MAX_ARGS + 1];
    static char output[PIPE] __attribute__((aligned(4096)));
    int ends[2], status = 0;
    if (split(payload, length, word) < 2 || pipe2(ends, O_CLOEXEC) != 0 || fcntl(ends[1], F_SETPIPE_SZ, PIPE) < 0)
        give_up("relay");
    answer(0, "", 0);
    pid_t child = start(word[0], word + 1, ends[1]);
    close(ends[1]);
    for (ssize_t n; (n = read(ends[0], output, sizeof output)) > 0;)
        write_whole(output, (size_t)n);
    close(ends[0]);
    waitpid(child, &status, 0);
}

/* The two ends of a TCP connection on loopback, as a program of the guest and its other end have them. */
static void connect_loopback(int ends[2])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct ifreq up = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    ends[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (ioctl(listener, SIOCSIFFLAGS, &up) != 0 || bind(listener, (struct sockaddr *)&at, size) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&at, &size) != 0 || connect(ends[1], (struct sockaddr *)&at, size) != 0 ||
        (ends[0] = accept(listener, NULL, NULL)) < 0)
        give_up("loopback");
    setsockopt(ends[0], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    close(listener);
}

/* Runs `work` in a process of its own with the connection's other end, and returns this process's end. */
static int start_peer(void (*work)(int, uint64_t), uint64_t bytes, pid_t *child)
{
    int ends[2];
    connect_loopback(ends);
    *child = fork();
    if (*child == 0) {
        close(ends[0]);
        work(ends[1], bytes);
        _exit(0);
    }
    close(ends[1]);
    return ends[0];
}

static char piece[PIECE] __attribute__((aligned(4096)));

static void send_all(int fd, const char *from, size_t length)
{
    for (ssize_t n; length > 0 && (n = write(fd, from, length)) > 0; length -= (size_t)n)
        from += n;
}

static void send_pieces(int fd, uint64_t bytes)
{
    memset(piece, 'x', sizeof piece);
    for (; bytes > 0; bytes -= PIECE)
        send_all(fd, piece, sizeof piece);
}

static void discard(int fd, uint64_t bytes)
{
    for (ssize_t n; bytes > 0 && (n = read(fd, piece, sizeof piece)) > 0;)
        bytes -= (uint64_t)n;
}

static uint64_t payload_bytes(void)
{
    uint32_t mib;
    memcpy(&mib, payload, sizeof mib);
    return (uint64_t)mib << 20;
}

/* payload: u32 MiB. As `pour`, but a process sends the MiB over a TCP connection. */
static void pour_connection(void)
{
    static char bytes[READ] __attribute__((aligned(4096)));
    pid_t child;
    answer(0, "", 0);
    int fd = start_peer(send_pieces, payload_bytes(), &child);
    for (ssize_t n; (n = read(fd, bytes, sizeof bytes)) > 0;)
        for (ssize_t done = 0; done < n; done += WRITE)
            write_whole(bytes + done, n - done < WRITE ? (size_t)(n - done) : WRITE);
    close(fd);
    waitpid(child, NULL, 0);
}

/* payload: u32 MiB, which follow the request without any frame. A process receives them over a TCP connection; the answer says that it has. */
static void drain_connection(void)
{
    pid_t child;
    uint64_t left = payload_bytes();
    int fd = start_peer(discard, left, &child);
    while (left > 0) {
        size_t some = left < WRITE ? (size_t)left : WRITE;
        read_whole(bulk, some);
        send_all(fd, bulk, some);
        left -= some;
    }
    close(fd);
    waitpid(child, NULL, 0);
    answer(0, "", 0);
}

static void serve(void)
{
    unsigned char operation;
    uint32_t length;
    read_whole(&operation, 1);
    read_whole(&length, sizeof length);
    if (length > MAX_PAYLOAD)
        give_up("request too long");
    read_whole(payload, length);
    payload[length] = '\0';
    switch (operation) {
    case 'e': answer(0, payload, length); break;
    case 'r': answer(reseed(), "", 0); break;
    case 'm': answer(mount_it(length), "", 0); break;
    case 'x': run(length); break;
    case 't': time_run(length); break;
    case 'p': echo_terminal(); break;
    case 'b': pour(); break;
    case 'c': pour_connection(); break;
    case 'd': drain_connection(); break;
    case 'o': relay(length); break;
    case 'u': answer(unmount_all(length), "", 0); break;
    case 's': sync(); answer(0, "", 0); break;
    default: answer(ENOSYS, "", 0);
    }
}

int main(void)
{
    mkdir("/proc", 0755), mkdir("/sys", 0755), mkdir("/dev", 0755);
    mount("proc", "/proc", "proc", 0, "");
    mount("sys", "/sys", "sysfs", 0, "");
    mount("dev", "/dev", "devtmpfs", 0, "");
    load_modules();
    /* The only port of the only console device. It may be a moment until it appears. */
    for (int i = 0; i < 1000 && (port = open("/dev/vport0p1", O_RDWR | O_CLOEXEC)) < 0; i++)
        usleep(2000);
    if (port < 0)
        give_up("/dev/vport0p1");
    memset(bulk, 'x', sizeof bulk);
    for (;;)
        serve();
}
