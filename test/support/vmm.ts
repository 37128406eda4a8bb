/** Whether the suites run on Firecracker. pyro reads the same variable. */
export const isFirecracker = process.env["PYRO_DRIVER"] === "firecracker"

/** VMM that the suites run on, as pyro names it to people. */
export const vmmName = isFirecracker ? "Firecracker" : "QEMU"
