// A set-up file of vitest: each VM that waits in the pool costs a second of a processor, and most files need two or three VMs in all. The
// tests of the pool have one, and so have the use cases.
process.env["PYRO_POOL_MEMBERS"] ??= "0"
