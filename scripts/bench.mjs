import { requireHost } from "./setup/node-version.mjs"

requireHost(20, 0)

Promise.all([import("./setup/main.mjs"), import("./bench/run.mjs")]).then(([{ main }, { bench }]) => main(bench))
