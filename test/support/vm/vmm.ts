/** Whether the suites run on Firecracker. pyro reads the same variable. */
export const isFirecracker = process.env["PYRO_DRIVER"] === "firecracker"

/** VMM that the suites run on, as pyro names it to people. */
export const vmmName = isFirecracker ? "Firecracker" : "QEMU"

/** Device of the workspace's disk in a guest. On Firecracker `/dev/vdb` is the store below it. */
export const diskDevice = isFirecracker ? "/dev/dm-0" : "/dev/vdb"
