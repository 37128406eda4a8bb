import { requireHost } from "./setup/node-version.mjs"

requireHost(20, 19)

Promise.all([import("./setup/main.mjs"), import("./test/smoke.mjs")]).then(([{ main }, { smokeTests }]) =>
  main(smokeTests)
)
