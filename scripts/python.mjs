import process from "node:process"
import { requireHost } from "./setup/node-version.mjs"

// Runs Python in the version of builders, with the packages that check and test rootfs/image:
// npm run python -- -m pytest test/python/test_unpack.py

requireHost()

const work = async () => {
  const [{ setUp }, { run }, { python }] = await Promise.all([
    import("./setup.mjs"),
    import("./setup/child.mjs"),
    import("./setup/python.mjs")
  ])
  await setUp("python")
  const { code } = await run([python, ...process.argv.slice(2)], { stdio: "inherit", interrupt: "relay" })
  return code
}

import("./setup/main.mjs").then(({ main }) => main(work))
