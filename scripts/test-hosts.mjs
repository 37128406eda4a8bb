import { requireHost } from "./setup/node-version.mjs"

requireHost(20, 19)

Promise.all([import("./setup/main.mjs"), import("./test/hosts.mjs")]).then(([{ main }, { hostTests }]) =>
  main(hostTests)
)
