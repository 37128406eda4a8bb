import { requireHost } from "./setup/node-version.mjs"

requireHost()

Promise.all([import("./setup/main.mjs"), import("./first-run.mjs")]).then(([{ main }, { firstRun }]) => main(firstRun))
