// The processes of the network: one program, which the first argument chooses from. Each runs alone in a process.
void (process.argv.includes("network-tap") ? import("../tap/process.ts") : import("./process.ts"))
