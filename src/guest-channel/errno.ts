import { constants } from "node:os"

// Guest and host are both Linux on one architecture, so the host's table names the guest's numbers.
const names = new Map(Object.entries(constants.errno).map(([name, number]) => [number as number, name]))
names.set(constants.errno.EAGAIN, "EAGAIN")
names.set(constants.errno.EOPNOTSUPP, "EOPNOTSUPP")
// Node's table lacks it: include/uapi/asm-generic/errno.h of Linux.
names.set(117, "EUCLEAN")

export const { EACCES, EEXIST, EFBIG, EINVAL, EISDIR, ELOOP, ENOENT, ENOEXEC, ENOTDIR, EXDEV } = constants.errno

/** Name of an error number of the guest, such as `ENOENT`. */
export const errnoName = (errno: number) => names.get(errno) ?? `errno ${errno}`
