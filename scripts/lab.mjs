import { requireHost } from "./setup/node-version.mjs"

requireHost(20, 19)

Promise.all([import("./setup/main.mjs"), import("./lab/lab.mjs")]).then(([{ main }, { lab }]) => main(lab))
