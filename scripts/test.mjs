import { requireHost } from "./setup/node-version.mjs"

requireHost()

Promise.all([import("./setup/main.mjs"), import("./test/all.mjs")]).then(([{ main }, { allTests }]) => main(allTests))
