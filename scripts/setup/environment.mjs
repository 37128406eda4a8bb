import process from "node:process"
import { run } from "./child.mjs"
import { inRoot } from "./project.mjs"
import { say, SetupFailed } from "./report.mjs"

const pyro = (...args) => [process.execPath, inRoot("dist/pyro.js"), ...args]

/** Builds an environment that the cache lacks. pyro itself shows the progress. The list says nothing of the kernel: a pull looks at it too. */
export const environment = (name) => ({
  pending: async () =>
    await isBuilt(name) && (await run(pyro("env", "pull", "--quiet", name))).code === 0 ? undefined : () => pull(name)
})

const isBuilt = async (name) => {
  const { code, output } = await run(pyro("env", "list", "--json"))
  return code === 0 && JSON.parse(output).environments.some((entry) => entry.name === name && entry.state === "ready")
}

const pull = async (name) => {
  say(`building the environment ${name} (100 MB of Debian packages, 2 min)`)
  const { code } = await run(pyro("env", "pull", name), { stdio: "inherit" })
  if (code !== 0) throw new SetupFailed(`the environment ${name} could not be built; the lines above say why`, code)
}
