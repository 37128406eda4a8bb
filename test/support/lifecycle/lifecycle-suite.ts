import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { hostInventory } from "../host/host-inventory.ts"
import { shapeOf } from "../installation.ts"
import { until } from "../pyro-cli.ts"
import { settlesAs } from "../settled.ts"
import { operations } from "./operations.ts"
import type { WorkspacesClient } from "./workspaces-client.ts"

/** A VMM under test. */
export interface LifecycleDriver {
  /** `enter`: words before a program, which make the program run in other namespaces. */
  readonly open: (options?: { readonly enter?: ReadonlyArray<string> }) => Promise<WorkspacesClient>
  /** Ends what `open` began, and fails where the driver left something. */
  readonly close: (client: WorkspacesClient) => Promise<void>
  /** Whether programs go on in what a capture is restored to. */
  readonly capturesPrograms: boolean
  /** Whether the suites change network policies. False where another driver proves the same sooner, or the kernel lets nobody steer. */
  readonly triesNetwork: boolean
  /** Whether a capture writes what has changed since the last one. */
  readonly writesDiffs?: boolean
  /** A file outside of /workspace that the disk keeps, if the disk has the root. */
  readonly rootFile?: string
  /** Script that makes the guest read its disk anew. */
  readonly dropCaches?: string
}

/** What every VMM has to do for workspaces. */
export const lifecycleSuite = (name: string, driver: LifecycleDriver) => {
  let client: WorkspacesClient
  beforeAll(async () => {
    client = await driver.open()
  })
  afterAll(() => driver.close(client))

  const { call, create, list, remove, sh, status, vmProcess } = operations(() => client)

  describe(`a workspace over ${name}`, { concurrent: false }, () => {
    it("a created workspace runs commands, and keeps its files through a stop and a start", async () => {
      await create("a")
      const { ports, running, secretHttp, secrets, services, shells } = await status("a")
      assert.deepStrictEqual([ports, running, secretHttp, secrets, services, shells], [[], [], [], [], {}, 0])
      assert.strictEqual(await sh("a", "pwd; cat /etc/hostname"), "/workspace\na")
      await sh("a", "echo kept > file; mkdir folder; echo gone > /dev/shm/page")
      const changed = async (verb: "start" | "stop") =>
        (await call<{ readonly changed: boolean }>(verb, { workspace: "a" })).changed
      assert.deepStrictEqual([await changed("stop"), await changed("stop")], [true, false])
      assert.strictEqual((await status("a")).state, "stopped")
      assert.deepStrictEqual([await changed("start"), await changed("start")], [true, false])
      const { generation, state } = await status("a")
      assert.deepStrictEqual([state, generation], ["running", 2])
      const { events } = await call<{ readonly events: ReadonlyArray<{ readonly kind: string }> }>("events", {
        workspace: "a"
      })
      assert.deepStrictEqual(events.map(({ kind }) => kind).slice(-2), ["stopped", "started"])
      assert.strictEqual(await sh("a", "cat file; ls; ls /dev/shm"), "kept\nfile\nfolder")
    })

    it("a workspace is empty after a reset", async () => {
      await call("reset", { workspace: "a" })
      assert.strictEqual(await sh("a", "ls -A"), "")
    })

    it("a reset to a snapshot restores its files and memory", async () => {
      await sh("a", "echo one > file; echo remembered > /dev/shm/page")
      await call("snapshot", { workspace: "a", name: "s" })
      await sh("a", "echo two > file; rm /dev/shm/page")
      await call("reset", { workspace: "a", snapshot: "s" })
      assert.strictEqual(await sh("a", "cat file /dev/shm/page"), "one\nremembered")
      await sh("a", "echo three > file")
      await call("reset", { workspace: "a", snapshot: "s", disk_only: true })
      assert.strictEqual(await sh("a", "cat file; ls /dev/shm"), "one")
    })

    it("forks and their origin change independently", async () => {
      await sh("a", "echo parent > file; echo remembered > /dev/shm/page")
      await call("fork", { workspace: "a", name: "child", count: 2 })
      assert.strictEqual(await sh("child-1", "cat file /dev/shm/page /etc/hostname"), "parent\nremembered\nchild-1")
      await sh("child-1", "echo child > file")
      assert.strictEqual(await sh("a", "cat file"), "parent")
      assert.strictEqual(await sh("child-2", "cat file"), "parent")
      await call("fork", { workspace: "child-1", name: "last" })
      await remove("child-1", "child-2")
      await call("stop", { workspace: "last" })
      await call("start", { workspace: "last" })
      assert.strictEqual(await sh("last", "cat file"), "child")
      await remove("last")
    })

    it("compare reads a stopped workspace", async () => {
      await call("fork", { workspace: "a", name: "other", disk_only: true })
      await sh("other", "echo changed > file; echo new > new")
      await call("stop", { workspace: "other" })
      const { files } = await call<{ readonly files: ReadonlyArray<{ readonly path: string }> }>("compare", {
        from: "a",
        to: "other"
      })
      assert.deepStrictEqual(files.map((one) => one.path), ["file", "new"])
      await remove("other")
    })

    it("the next process takes over a workspace and its running command after a kill", async () => {
      await call("exec", {
        workspace: "a",
        detach: true,
        command: ["sh", "-c", "until [ -e go ]; do sleep 0.02; done; echo on"]
      })
      await client.kill()
      assert.strictEqual((await status("a")).state, "running")
      await sh("a", "touch go")
      await until("the command's end", async () => {
        const { commands } = await call<{ readonly commands: ReadonlyArray<{ readonly outcome: string }> }>("logs", {
          workspace: "a"
        })
        return commands.every(({ outcome }) => outcome === "exited")
      })
    })

    it("a workspace fails when its VM's process dies, and a start restores its disk", async () => {
      await sh("a", "echo safe > file; sync")
      process.kill(vmProcess((await status("a")).id), "SIGKILL")
      await until("its failure", async () => (await status("a")).state === "failed")
      const { detail } = await status("a")
      // The event follows the state. The next process finds nothing of the VM, and knows from the event why it ended.
      await until("the event of its failure", async () => {
        const { events } = await call<{ readonly events: ReadonlyArray<{ readonly kind: string }> }>("events", {
          workspace: "a"
        })
        return events.at(-1)?.kind === "died"
      })
      await client.kill()
      const next = await status("a")
      assert.deepStrictEqual([next.state, next.detail], ["failed", detail])
      await call("start", { workspace: "a" })
      assert.strictEqual(await sh("a", "cat file"), "safe")
    })

    it("a workspace keeps its id without a name, outlives a delete that names an unknown one, and is deleted when it expires", async () => {
      await create("brief")
      const refused = await remove("brief", "nobody").then(() => "it succeeded", String)
      assert.include(refused, "no workspace \"nobody\". None of the named workspaces is deleted")
      const { id } = await status("brief")
      await create("doomed")
      const doomed = await status("doomed")
      const absent = await call<ReadonlyArray<object>>("delete", {
        workspaces: ["doomed", "nobody", "doomed"],
        if_exists: true
      })
      assert.deepStrictEqual(absent, [{ id: doomed.id, name: "doomed" }])
      assert.deepStrictEqual(await call("delete", { workspaces: ["nobody"], if_exists: true }), [])
      await call("update", { workspace: "brief", clear_name: true })
      assert.notProperty(await status(id), "name")
      assert.strictEqual(await sh(id, "cat /etc/hostname"), id)
      await call("update", { workspace: id, name: "brief" })
      assert.strictEqual(await sh(id, "cat /etc/hostname; grep -c '^127.0.1.1 brief$' /etc/hosts"), "brief\n1")
      await call("update", { workspace: "brief", ttl_seconds: 1 })
      await until("its expiry", async () => !(await list()).some((one) => one.name === "brief"))
    })

    it("a deleted workspace leaves nothing", async () => {
      await remove("a")
      assert.deepStrictEqual(await list(), [])
      await client.close()
      await settlesAs(
        () =>
          shapeOf(hostInventory({ state: client.state }), client.state).filter((line) =>
            /VM|WS|local-disks/.test(line)
          ),
        []
      )
    })
  })
}
