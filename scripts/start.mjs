import { requireHost } from "./setup/node-version.mjs"

requireHost(20, 0)

Promise.all([import("./setup/main.mjs"), import("./first-run.mjs")]).then(([{ main }, { firstRun }]) => main(firstRun))
