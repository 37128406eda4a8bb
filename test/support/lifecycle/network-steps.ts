import { assert } from "vitest"
import type { operations } from "./operations.ts"
import type { Killed } from "./saved-faults.ts"
import type { Operation } from "./workspaces-process.ts"

interface Tools extends Pick<ReturnType<typeof operations>, "call" | "sh"> {
  readonly request: (operation: Operation, payload: object) => Pick<Killed, "cause" | "die">
  readonly isWhole: () => Promise<void>
}

/** Names that the guest's resolver knows. The agent answers; the network of the host is not asked. */
export const knownNames = ({ sh }: Pick<Tools, "sh">, names: ReadonlyArray<string>) =>
  sh("whole", names.map((one) => `getent ahostsv4 ${one} | grep -q STREAM && echo ${one}; `).join("") + "true")

export const changePolicy = ({ call }: Pick<Tools, "call">, policy: object) =>
  call("network-set", { workspace: "whole", ...policy })

/** A process dies while it changes the network of the workspace `whole`. */
export const policySteps = (tools: Tools): ReadonlyArray<Killed> => {
  /** A change of the policy from `before`, and the names that the guest knows afterwards. */
  const change = (cause: string, before: object, after: object, names: ReadonlyArray<string>): Killed => ({
    step: "network",
    ...tools.request("network-set", { workspace: "whole", ...after }),
    cause,
    before: () => changePolicy(tools, before),
    found: async () => {
      const known = await knownNames(tools, ["first.test.net", "second.test.net"])
      assert.deepStrictEqual(known.split("\n").filter(Boolean), names)
      await tools.isWhole()
      await changePolicy(tools, { network_policy: "off" })
    }
  })
  const first = { allow_hosts: ["first.test.net"] }
  const second = { allow_hosts: ["second.test.net"] }
  return [
    change("network-set", { network_policy: "off" }, first, ["first.test.net"]),
    change("network-set to other hosts", first, second, ["second.test.net"]),
    change("network-set to off", first, { network_policy: "off" }, [])
  ]
}
