/* Kernel interfaces that libc's headers may lack: structures and numbers from linux/{sched,openat2,random,fs,fsmap,mount,futex}.h. */
#ifndef PYRO_KERNEL_H
#define PYRO_KERNEL_H

#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_fsopen
#define SYS_fsopen 430
#endif
#ifndef SYS_fsconfig
#define SYS_fsconfig 431
#endif
#ifndef SYS_fsmount
#define SYS_fsmount 432
#endif
#ifndef SYS_move_mount
#define SYS_move_mount 429
#endif

struct kernel_clone_args {
  uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

#define KERNEL_CLONE_VM 0x100ull
#define KERNEL_CLONE_FS 0x200ull
#define KERNEL_CLONE_VFORK 0x4000ull
#define KERNEL_CLONE_PARENT_SETTID 0x100000ull
#define KERNEL_CLONE_CHILD_CLEARTID 0x200000ull
#define KERNEL_CLONE_INTO_CGROUP 0x200000000ull

#define KERNEL_FUTEX_WAIT 0
#define KERNEL_FUTEX_WAKE_PRIVATE (1 | 128)
#define KERNEL_FUTEX_WAIT_PRIVATE (0 | 128)

struct kernel_open_how {
  uint64_t flags, mode, resolve;
};

#ifndef SYS_statx
#define SYS_statx 332
#endif
#define KERNEL_AT_NO_AUTOMOUNT 0x800
#define KERNEL_STATX_BASIC 0x7ffu
#define KERNEL_STATX_ATTR_MOUNT_ROOT 0x2000ull

struct kernel_statx_time {
  int64_t seconds;
  uint32_t nanoseconds;
  int32_t reserved;
};

struct kernel_statx {
  uint32_t mask, block_size;
  uint64_t attributes;
  uint32_t links, uid, gid;
  uint16_t mode, padding;
  uint64_t ino, size, blocks, attributes_mask;
  struct kernel_statx_time atime, btime, ctime, mtime;
  uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
  uint64_t reserved[14];
};

struct kernel_fsmap {
  uint32_t device, flags;
  uint64_t physical, owner, offset, length, reserved[3];
};

struct kernel_fsmap_head {
  uint32_t flags_in, flags_out, count, entries;
  uint64_t reserved[6];
  struct kernel_fsmap keys[2];
  struct kernel_fsmap records[];
};

#define KERNEL_GETFSMAP _IOWR('X', 59, struct kernel_fsmap_head)
#define KERNEL_FSMAP_SPECIAL_OWNER 0x10u
#define KERNEL_FSMAP_OWNER_FREE 1ull
/* fs/ext4/ext4.h */
#define KERNEL_EXT4_RESIZE _IOW('f', 16, uint64_t)
#define KERNEL_EXT4_CHECKPOINT _IOW('f', 43, uint32_t) /* since Linux 5.14 */

#define KERNEL_RESOLVE_NO_XDEV 0x01ull
#define KERNEL_RESOLVE_NO_MAGICLINKS 0x02ull
#define KERNEL_RESOLVE_NO_SYMLINKS 0x04ull
#define KERNEL_RESOLVE_BENEATH 0x08ull
#define KERNEL_RESOLVE_IN_ROOT 0x10ull

#define KERNEL_FSOPEN_CLOEXEC 1u
#define KERNEL_FSMOUNT_CLOEXEC 1u
#define KERNEL_FSCONFIG_SET_FLAG 0u
#define KERNEL_FSCONFIG_SET_STRING 1u
#define KERNEL_FSCONFIG_CMD_CREATE 6u
/* read-only, nosuid, nodev, noexec, noatime */
#define KERNEL_MOUNT_ATTR_BASELINE (0x01u | 0x02u | 0x04u | 0x08u | 0x10u)

/* linux/vm_sockets.h */
#define KERNEL_AF_VSOCK 40
#define KERNEL_VSOCK_CID_ANY 0xffffffffu
struct kernel_vsock_address {
  uint16_t family, reserved;
  uint32_t port, cid;
  uint8_t flags, zero[3];
};

#define KERNEL_RNDADDENTROPY _IOW('R', 0x03, int[2])
#define KERNEL_RNDRESEEDCRNG _IO('R', 0x07)
#define KERNEL_BLKGETSIZE64 _IOR(0x12, 114, uint64_t)
#define KERNEL_FS_IOC_GETVERSION _IOR('v', 1, long)
#define KERNEL_TIOCGPTPEER _IO('T', 0x41)
#define KERNEL_MOVE_MOUNT_T_EMPTY_PATH 0x40u
#define KERNEL_CLOSE_RANGE_CLOEXEC 4u

#ifndef F_SETPIPE_SZ
#define F_SETPIPE_SZ 1031
#endif

static inline int close_from(unsigned first) { return (int)syscall(SYS_close_range, first, ~0u, 0u); }

#endif
