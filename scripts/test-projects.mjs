import { requireHost } from "./setup/node-version.mjs"

requireHost()

Promise.all([import("./setup/main.mjs"), import("./test/projects.mjs")]).then(([{ main }, { projectTests }]) =>
  main(projectTests)
)
