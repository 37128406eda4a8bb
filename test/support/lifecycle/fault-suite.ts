import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { hostInventory } from "../host/host-inventory.ts"
import { shapeOf } from "../installation.ts"
import { until } from "../pyro-cli.ts"
import { settled, settlesAs } from "../settled.ts"
import { commitPointsOf, points, pointsOf } from "./fault-points.ts"
import type { LifecycleDriver } from "./lifecycle-suite.ts"
import { changePolicy, knownNames, policySteps } from "./network-steps.ts"
import { operations } from "./operations.ts"
import { pauseSteps } from "./pause-steps.ts"
import { causedBy, type Killed, savedSteps, type SomeOfThem } from "./saved-faults.ts"
import { trySteps } from "./try-faults.ts"
import type { WorkspacesClient } from "./workspaces-client.ts"
import type { Operation } from "./workspaces-process.ts"

/**
 * Layers and their content are no part of it: a crash may leave an empty layer, which is no harm. A memory on Firecracker is one file or a
 * file with diffs, and a snapshot's has a whole file from its first restore on. The lock is there once a second process has a VM. The file of
 * services is there while a workspace has services.
 */
const isPartOfShape = (line: string) =>
  !/\/\d+\.(qcow2|store|ext4)$|\/mem\.(\d+|whole-[0-9a-f]{8})$|local-disks|\/owner\.lock$|\/services\.json$/.test(line)

/**
 * A process is killed at every fault point of the lifecycle, or at those around the commit of each step, or of steps of some `causes`;
 * the next process finds a whole workspace, or none.
 */
export const faultSuite = (name: string, driver: LifecycleDriver, { around, causes }: SomeOfThem = {}) => {
  let client: WorkspacesClient
  let digests = ""
  let shape: ReadonlyArray<string>
  let generation = 0
  let counter = ""
  const growth = { workspace: "resting", disk_mib: 512 }
  const files = ["work", "more", ...(driver.rootFile === undefined ? [] : [driver.rootFile])].join(" ")
  const makeFiles = `for f in ${files}; do head -c 300000 /dev/urandom > $f; done; sync; sha256sum ${files}`
  const readFiles = `${driver.dropCaches ?? "true"}; sha256sum ${files}`
  const { call, create, list, logs, remove, saved, sh, snapshots, startProgram, status, vmProcess } = operations(() =>
    client
  )

  /** Writes a line for each start, and is ready a moment later. */
  const service = {
    workspace: "whole",
    name: "served",
    command: ["sh", "-c", "echo start >> /run/starts; sleep 0.1; touch /run/served; exec sleep 1000"],
    ready_file: "/run/served"
  }
  const stays = { workspace: "resting", name: "stays", command: ["sleep", "1000"] }
  const serviceState = async () =>
    (await call<{ readonly state: string }>("service-status", { workspace: "whole", name: service.name })).state
  const stopService = async () => {
    await call("service-stop", { workspace: "whole", name: service.name })
    await sh("whole", "rm -f /run/served /run/starts")
  }

  const shapeNow = () => shapeOf(hostInventory({ state: client.state }), client.state).filter(isPartOfShape)

  const begin = async () => {
    client = await driver.open()
    await create("whole")
    digests = await sh("whole", makeFiles)
    await startCounter()
    // The first policy makes the guest's resolv.conf, and the first denial the log.
    if (driver.triesNetwork) {
      await changePolicy({ call }, { allow_hosts: ["first.test.net"] })
      await knownNames({ sh }, ["denied.test.net"])
    }
    await call("snapshot", { workspace: "whole", name: "base" })
    await call("save", { workspace: "whole", name: "warm" })
    // The steps stop a service before they start it.
    await call("service-start", service)
    await stopService()
    await create("resting")
    await call("service-start", stays)
    await call("stop", { workspace: "resting" })
    shape = await settled(shapeNow)
  }

  const startCounter = async () => {
    counter = await startProgram("whole", "while true; do date +%s%N > /run/now; sleep 0.02; done")
  }

  const counts = (workspace: string) => sh(workspace, "rm -f /run/now; until [ -s /run/now ]; do sleep 0.02; done")

  /** A workspace runs with its files. */
  const isWhole = async (workspace = "whole") => {
    const found = await status(workspace)
    assert.strictEqual(found.state, "running", found.detail)
    assert.strictEqual(await sh(workspace, readFiles), digests)
  }

  /** What goes on from a capture runs with its files, and with its program where the capture has that. */
  const wentOn = async (workspace: string) => {
    await isWhole(workspace)
    const running = (await logs(workspace)).filter(({ outcome }) => outcome === "running")
    if (driver.capturesPrograms) await counts(workspace)
    assert.deepStrictEqual(running.map(({ execId }) => execId), driver.capturesPrograms ? [counter] : [])
  }

  const request = (operation: Operation, payload: object): Pick<Killed, "cause" | "die"> => ({
    cause: operation,
    die: (point) => client.killedAt(point, operation, payload)
  })

  const networkSteps = driver.triesNetwork ? policySteps({ call, isWhole, request, sh }) : []

  const diffSteps = driver.writesDiffs === true ? ["diff"] : []

  /** A capture that was cut loses the written pages, and the next one has all of the memory: what follows this one is a diff again. */
  const beforeDiff = {
    before: async () => {
      await call("snapshot", { workspace: "whole", name: "all" })
      await call("delete-snapshot", { workspace: "whole", name: "all" })
    }
  }

  const steps: ReadonlyArray<Killed> = [
    ...networkSteps,
    {
      step: "create",
      ...request("create", { name: "fresh", memory_mib: 256, disk_mib: 512 }),
      found: async (isDone) => {
        assert.strictEqual((await list()).some((one) => one.name === "fresh"), isDone)
        if (!isDone) return
        assert.strictEqual(await sh("fresh", "pwd; ls -A"), "/workspace")
        await remove("fresh")
      }
    },
    {
      step: "stop",
      ...request("stop", { workspace: "resting" }),
      before: async () => {
        await call("start", { workspace: "resting" })
        await sh("resting", "echo kept > file; sync")
        await call("service-start", stays)
      },
      found: async (isDone) => {
        assert.strictEqual((await status("resting")).state, isDone ? "stopped" : "running")
        const { state } = await call<{ readonly state: string }>("service-status", {
          workspace: "resting",
          name: stays.name
        })
        assert.strictEqual(state, isDone ? "stopped" : "running")
        const { events } = await call<{ readonly events: ReadonlyArray<{ readonly kind: string }> }>("events", {
          workspace: "resting"
        })
        const last = events.findLast(({ kind }) => kind === "stopped" || kind === "started")
        assert.strictEqual(last?.kind, isDone ? "stopped" : "started")
        await call("start", { workspace: "resting" })
        assert.strictEqual(await sh("resting", "cat file"), "kept")
        await call("stop", { workspace: "resting" })
      }
    },
    ...pauseSteps({
      call,
      status,
      request,
      /** The counter goes on, or is lost with a driver that captures no programs. */
      wentOn: async () => {
        assert.strictEqual(await sh("whole", readFiles), digests)
        await wentOn("whole")
        if (!driver.capturesPrograms) await startCounter()
      },
      stillRunning: async () => {
        await isWhole()
        await counts("whole")
      }
    }),
    {
      step: "start",
      ...request("start", { workspace: "resting" }),
      found: async (isDone) => {
        assert.strictEqual((await status("resting")).state, isDone ? "running" : "stopped")
        await call("start", { workspace: "resting" })
        assert.strictEqual(await sh("resting", "cat file"), "kept")
        await call("stop", { workspace: "resting" })
      }
    },
    {
      step: "reset",
      ...request("reset", { workspace: "resting" }),
      before: async () => {
        await call("start", { workspace: "resting" })
        await sh("resting", "echo kept > file; sync")
        generation = (await status("resting")).generation
      },
      found: async (isDone) => {
        const found = await status("resting")
        assert.deepStrictEqual([found.state, found.generation], ["running", generation + (isDone ? 1 : 0)])
        assert.strictEqual((await logs("resting")).length > 0, !isDone)
        assert.strictEqual(await sh("resting", "ls -A"), isDone ? "" : "file")
        await call("stop", { workspace: "resting" })
      }
    },
    {
      step: "grow",
      ...request("update", growth),
      before: async () => {
        await call("start", { workspace: "resting" })
        await sh("resting", "echo kept > file; sync")
        await call("stop", { workspace: "resting" })
        growth.disk_mib += 64
      },
      found: async (isDone) => {
        assert.strictEqual((await status("resting")).diskMib, growth.disk_mib - (isDone ? 0 : 64))
        await call("start", { workspace: "resting" })
        assert.strictEqual(await sh("resting", "cat file"), "kept")
        await call("stop", { workspace: "resting" })
        if (!isDone) growth.disk_mib -= 64
      }
    },
    {
      step: "secrets",
      ...request("update", { workspace: "resting", secrets: { TOKEN: "correct horse battery" } }),
      found: async () => {
        assert.deepStrictEqual((await status("resting")).secrets, ["TOKEN"])
        await call("start", { workspace: "resting" })
        assert.strictEqual(await sh("resting", "echo correct horse battery"), "[secret:TOKEN]")
        await call("update", { workspace: "resting", clear_secrets: ["TOKEN"] })
        // Only a reset forgets a former value.
        await call("reset", { workspace: "resting" })
        await sh("resting", "echo kept > file; sync")
        await call("stop", { workspace: "resting" })
      }
    },
    {
      step: "service",
      ...request("service-start", service),
      before: stopService,
      found: async () => {
        await until("the readiness", async () => await serviceState() === "ready")
        assert.strictEqual(await sh("whole", "cat /run/starts"), "start")
        await stopService()
      }
    },
    {
      step: "service-stop",
      ...request("service-stop", { workspace: "whole", name: service.name }),
      before: () => call("service-start", service),
      found: async () => {
        await until("the end", async () => await serviceState() === "stopped")
        await stopService()
      }
    },
    {
      step: "adopt",
      cause: "the start of a process",
      die: (point) => client.diesAtStart(point),
      found: async () => {
        await isWhole()
        await counts("whole")
      }
    },
    {
      step: "died",
      cause: "the end of a VM",
      before: async () => {
        await call("start", { workspace: "resting" })
        await sh("resting", "echo kept > file; sync")
      },
      die: async (point) => {
        const vm = vmProcess((await status("resting")).id)
        await client.diesAt(point, () => process.kill(vm, "SIGKILL"))
      },
      found: async () => {
        assert.strictEqual((await status("resting")).state, "failed")
        await call("start", { workspace: "resting" })
        assert.strictEqual(await sh("resting", "cat file"), "kept")
        await call("stop", { workspace: "resting" })
      }
    },
    {
      step: "delete",
      ...request("delete", { workspaces: ["doomed"] }),
      before: () => create("doomed"),
      found: async () => assert.isFalse((await list()).some((one) => one.name === "doomed"))
    },
    ...["snapshot", "take", ...diffSteps].map((step): Killed => ({
      step,
      ...request("snapshot", { workspace: "whole", name: "snap" }),
      ...(step === "diff" && beforeDiff),
      found: async (isDone) => {
        assert.deepStrictEqual(await snapshots("whole"), { base: "memory", ...(isDone && { snap: "memory" }) })
        await isWhole()
        await counts("whole")
        if (!isDone) return
        await call("reset", { workspace: "whole", snapshot: "snap" })
        await wentOn("whole")
        if (!driver.capturesPrograms) await startCounter()
        await call("delete-snapshot", { workspace: "whole", name: "snap" })
      }
    })),
    {
      step: "snapshot-delete",
      ...request("delete-snapshot", { workspace: "whole", name: "snap" }),
      before: () => call("snapshot", { workspace: "whole", name: "snap" }),
      found: async () => {
        assert.deepStrictEqual(await snapshots("whole"), { base: "memory" })
        await isWhole()
      }
    },
    ...["fork", "take", ...diffSteps].map((step): Killed => ({
      step,
      ...request("fork", { workspace: "whole", name: "child", count: 2 }),
      ...(step === "diff" && beforeDiff),
      found: async (isDone) => {
        const children = (await list()).filter((one) => one.name?.startsWith("child"))
        assert.strictEqual(children.length, isDone ? 2 : 0)
        for (const { id } of children) await wentOn(id)
        if (isDone) await remove("child-1", "child-2")
        await isWhole()
        await counts("whole")
      }
    })),
    ...savedSteps({
      archive: () => path.join(path.dirname(client.state), "warm.pyro"),
      beforeDiff,
      call,
      counts,
      isWhole,
      list,
      remove,
      request,
      saved,
      wentOn
    }, diffSteps),
    ...trySteps({
      counts,
      isWhole,
      list,
      request,
      sh,
      snapshots,
      status,
      wentOn: async () => {
        await wentOn("whole")
        if (!driver.capturesPrograms) await startCounter()
      }
    }),
    { step: "compare", ...request("compare", { from: "whole@base", to: "whole" }), found: () => isWhole() },
    {
      step: "reset-to",
      ...request("reset", { workspace: "whole", snapshot: "base" }),
      before: async () => {
        await sh("whole", "echo dirt > dirt; sync")
        generation = (await status("whole")).generation
      },
      found: async (isDone) => {
        assert.strictEqual((await status("whole")).generation, generation + (isDone ? 1 : 0))
        assert.strictEqual(await sh("whole", "ls"), isDone ? "more\nwork" : "dirt\nmore\nwork")
        if (!isDone) return isWhole()
        await wentOn("whole")
        if (!driver.capturesPrograms) await startCounter()
      }
    }
  ]

  describe(`a process that is killed, over ${name}`, { concurrent: false }, () => {
    beforeAll(begin)
    afterAll(() => driver.close(client))

    it("the fault suite visits every fault point except those of merges, of edits, of rewinds and of tries that ended", () => {
      const visited = steps.flatMap(({ step }) => pointsOf(step))
      const left = [
        ...(driver.triesNetwork ? [] : pointsOf("network")),
        ...(driver.writesDiffs === true ? [] : pointsOf("diff")),
        ...pointsOf("flatten"),
        ...["point", "point-evict", "edit", "rewind", "tried"].flatMap(pointsOf)
      ]
      assert.deepStrictEqual(Object.keys(points).filter((point) => !visited.includes(point)), left)
    })

    it("a killed process leaves unfinished removals to the next process", async () => {
      await client.kill()
      const aside = path.join(client.state, "workspaces", ".swept-0123456789abcdef")
      fs.mkdirSync(path.join(aside, "disk-0"), { recursive: true })
      fs.writeFileSync(path.join(aside, "disk-0", "0.qcow2"), "")
      await list()
      await settlesAs(shapeNow, shape)
    })

    for (const { before, cause, die, found, step } of causedBy(steps, causes)) {
      it.each(around === "commits" ? commitPointsOf(step) : pointsOf(step))(
        `a process killed at %s (${cause}) leaves a whole workspace or none`,
        async (point) => {
          await before?.()
          await die(point)
          await found(points[point] === "after")
          await settlesAs(shapeNow, shape)
        }
      )
    }
  })
}
