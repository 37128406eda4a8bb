import { requireHost } from "./setup/node-version.mjs"

requireHost()

Promise.all([import("./setup/main.mjs"), import("./lab/lab.mjs")]).then(([{ main }, { lab }]) => main(lab))
