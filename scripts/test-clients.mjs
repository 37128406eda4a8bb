import { requireHost } from "./setup/node-version.mjs"

requireHost()

Promise.all([import("./setup/main.mjs"), import("./test/clients.mjs")]).then(([{ main }, { clientTests }]) =>
  main(clientTests)
)
