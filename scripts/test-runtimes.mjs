import { requireHost } from "./setup/node-version.mjs"

requireHost()

Promise.all([import("./setup/main.mjs"), import("./test/runtimes.mjs")]).then(([{ main }, { runtimeTests }]) =>
  main(runtimeTests)
)
