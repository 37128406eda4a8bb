import { requireHost } from "./setup/node-version.mjs"

requireHost()

Promise.all([import("./setup/main.mjs"), import("./test/smoke.mjs")]).then(([{ main }, { smokeTests }]) =>
  main(smokeTests)
)
