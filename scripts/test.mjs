import { requireHost } from "./setup/node-version.mjs"

// Vite, beneath the test runner, needs this much; the product itself runs on any Node 20.
requireHost(20, 19)

Promise.all([import("./setup/main.mjs"), import("./test/all.mjs")]).then(([{ main }, { allTests }]) => main(allTests))
