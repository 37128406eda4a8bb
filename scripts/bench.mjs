import { requireHost } from "./setup/node-version.mjs"

requireHost()

Promise.all([import("./setup/main.mjs"), import("./bench/run.mjs")]).then(([{ main }, { bench }]) =>
  main(bench, { anyNode: true })
)
