import { Effect } from "effect"
import { Pyro } from "../contract/rows/Pyro.ts"
import { UpdatePayload } from "../contract/rows/workspace-update.ts"
import { isObject } from "../system/files/atomic-file.ts"
import type { Definition } from "./definition.ts"
import type { Change } from "./differences.ts"
import { agentOf, decode, networkRequest, secretsOf, type SecretValues } from "./requests.ts"
import type { Surface } from "./surface.ts"

/** The workspace to change, its present file, and the file before. */
interface Applied {
  readonly workspace: string
  readonly before: unknown
  readonly now: Definition
  readonly change: Change
  readonly values: SecretValues
  readonly variable: Surface["variable"]
}

/** Names on one side that the other does not have. */
const gone = (before: ReadonlyArray<string>, now: ReadonlyArray<string>) => before.filter((one) => !now.includes(one))

const listOf = (value: unknown): ReadonlyArray<string> => Array.isArray(value) ? value : []

/** Changes what a workspace can change while it runs: network, variables, secrets, SSH agent, expiry. Secrets get their present values. */
export const applyChange = ({ before, change, now, values, variable, workspace }: Applied) =>
  Effect.gen(function*() {
    const pyro = yield* Pyro
    const old = isObject(before) ? before : {}
    const differs = (...keys: ReadonlyArray<string>) =>
      change.applicable.some(({ key }) => keys.includes(key.split(".", 1)[0]!))
    if (differs("network")) yield* pyro.workspace.network.set(yield* networkRequest(workspace, now))
    const { secretHttp = [], secrets = [] } = now
    const cleared = gone(listOf(old["secrets"]), secrets)
    const isChanged = differs(
      "name",
      "env",
      "cwd",
      "pause_after",
      "ttl",
      "secrets",
      "secret_http",
      "secret_commands",
      "ssh_agent"
    )
    if (!isChanged && secrets.length === 0) return
    const changed = {
      ...(differs("name") ? { name: now.name } : {}),
      ...(differs("env")
        ? {
          env: now.env,
          clear_env: gone(Object.keys(isObject(old["env"]) ? old["env"] : {}), Object.keys(now.env ?? {}))
        }
        : {}),
      ...(differs("cwd") ? { cwd: now.cwd ?? "/workspace" } : {}),
      ...(differs("pause_after") ? { pause_after_seconds: now.pauseAfter ?? 0 } : {}),
      ...(differs("ttl") ? { ttl_seconds: now.ttl ?? 0 } : {}),
      ...(differs("ssh_agent")
        ? now.sshAgent === undefined ? { clear_ssh_agent: true } : agentOf(now, variable)
        : {}),
      ...secretsOf(now, values),
      ...(cleared.length === 0 ? {} : { clear_secrets: cleared }),
      clear_secret_http: gone(listOf(old["secret_http"]), secretHttp)
        .filter((item) => !cleared.includes(item.split("@", 1)[0]!))
    }
    yield* pyro.workspace.update(yield* decode(UpdatePayload(), { workspace, ...changed }))
  })
