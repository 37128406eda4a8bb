import { requireHost } from "./setup/node-version.mjs"

requireHost()

Promise.all([import("./setup/main.mjs"), import("./test/images.mjs")]).then(([{ main }, { imageTests }]) =>
  main(imageTests)
)
