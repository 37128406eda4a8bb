import { Effect } from "effect"
import type { RegistryNotAllowed } from "../../contract/errors/errors.ts"
import type { BuildPayload } from "../../contract/rows/environment.ts"
import type { CreatePayload } from "../../contract/rows/workspace-lifecycle.ts"
import { nameLine } from "../../contract/text/one-line.ts"
import { asks } from "../output/ask.ts"

const whatItIs = (registry: string) => {
  if (registry.startsWith("localhost/")) {
    return `the environment ${nameLine(registry.slice("localhost/".length))} of this host`
  }
  const [, port] = /^localhost:(\d+)$/.exec(registry) ?? []
  return port === undefined ? `the registry ${nameLine(registry)}` : `port ${port} of this computer as a registry`
}

/**
 * Asks the person on a terminal for the registry that a file names and the build refused. Gives the request with the answer. Undefined: the person
 * did not allow the registry, or there is no terminal to ask on.
 */
export const allowedByPerson = <P>(payload: P, { next, path }: RegistryNotAllowed) =>
  Effect.gen(function*() {
    const allowing = next.find((step) => "option" in step)
    const [registry] = Array.isArray(allowing?.value) ? allowing.value.map(String) : []
    if (allowing === undefined || registry === undefined) return undefined
    const answer = yield* asks(
      `${nameLine(path)} names ${whatItIs(registry)}. The programs of the build can then ${
        registry.includes("/") ? "read" : "reach"
      } it. Allow it?`
    )
    if (answer !== true) return undefined
    const { allowHosts = [], allowRegistries = [] } = payload as Partial<BuildPayload & CreatePayload>
    return allowing.option === "allow_hosts"
      ? { ...payload, allowHosts: [...allowHosts, registry] }
      : { ...payload, allowRegistries: [...allowRegistries, registry] }
  })
