import { requireHost } from "./setup/node-version.mjs"

requireHost()

Promise.all([import("./setup/main.mjs"), import("./test/soak.mjs")]).then(([{ main }, { soakTests }]) =>
  main(soakTests)
)
