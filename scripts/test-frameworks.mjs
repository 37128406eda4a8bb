import { requireHost } from "./setup/node-version.mjs"

requireHost()

Promise.all([import("./setup/main.mjs"), import("./test/frameworks.mjs")]).then(([{ main }, { frameworkTests }]) =>
  main(frameworkTests)
)
