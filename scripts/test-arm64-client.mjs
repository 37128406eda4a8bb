import { requireHost } from "./setup/node-version.mjs"

requireHost()

Promise.all([import("./setup/main.mjs"), import("./test/arm64-client.mjs")]).then(([{ main }, { arm64ClientTests }]) =>
  main(arm64ClientTests)
)
