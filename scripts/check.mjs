import { requireHost } from "./setup/node-version.mjs"

requireHost()

Promise.all([import("./setup/main.mjs"), import("./checks.mjs")]).then(([{ main }, { allChecks }]) => main(allChecks))
