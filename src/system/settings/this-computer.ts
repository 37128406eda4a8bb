/** Whether pyro runs microVMs on this computer. Its own programs and QEMU's accelerator are those of Linux on x86-64. Every other computer is a client. */
export const runsMicroVms = (): boolean => isLinux() && process.arch === "x64"

/** Whether this computer has /proc, /dev/shm and sockets with paths as long as its folders. */
export const isLinux = (): boolean => process.platform === "linux"

export const isWindows = (): boolean => process.platform === "win32"

/** The computer for people, such as `darwin arm64`. */
export const computerName = (): string => `${process.platform} ${process.arch}`
