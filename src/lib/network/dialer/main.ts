// The processes of the network: one program, whose first argument chooses one of them.
void (process.argv.includes("network-tap") ? import("./tap/process.ts") : import("./process.ts"))
