import { assert } from "vitest"
import { hostInventory } from "../host/host-inventory.ts"
import { temporaryFolder } from "../pyro-cli.ts"
import { isFirecracker } from "../vm/vmm.ts"
import type { LifecycleDriver } from "./lifecycle-suite.ts"
import { workspacesClient } from "./workspaces-client.ts"

/** MicroVMs of the VMM that PYRO_DRIVER names, as pyro's own processes read it. */
export const microVms = (): LifecycleDriver => {
  const { folder, remove } = temporaryFolder("pyro-lifecycle-vms-")
  return {
    capturesPrograms: true,
    triesNetwork: false,
    writesDiffs: isFirecracker,
    rootFile: "/usr/local/lib/tool",
    dropCaches: "sync; echo 3 > /proc/sys/vm/drop_caches",
    open: (options) => workspacesClient({ folder, args: ["microvms"], ...options }),
    close: async (client) => {
      await client.call("delete", { workspaces: [], all: true })
      await client.close()
      const left = hostInventory({ state: client.state }).filter((line) => /vm-|ws-/.test(line))
      remove()
      assert.deepStrictEqual(left, [], "something was left on the host")
    }
  }
}
