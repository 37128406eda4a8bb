import { requireHost } from "./setup/node-version.mjs"

requireHost()

Promise.all([import("./setup/main.mjs"), import("./test/hosts.mjs")]).then(([{ main }, { hostTests }]) =>
  main(hostTests)
)
