import { assert, describe, it } from "vitest"
import { shown } from "./shown.ts"

const workspace = {
  id: "ws-0123456789",
  name: "fix",
  environment: "debian:12",
  vcpuCount: 1,
  memoryMib: 512,
  diskMib: 1024,
  runningCommands: 0,
  createdAt: "2025-01-01T00:00:00.000Z",
  lastActivityAt: "2025-01-01T00:00:00.000Z",
  labels: {}
} as const

describe("views of workspaces", () => {
  it("status says nothing of what the workspace has none of", async () => {
    const none = { ports: [], running: [], secretHttp: [], secrets: [], services: {}, shells: 0 }
    const empty = await shown("workspace.status", { ...workspace, ...none, state: "running" }, {})
    assert.notMatch(empty.out, /^(ports|secret hosts|secrets|services|shells) /m)
    const some = {
      ports: [{ guestPort: 80 }],
      secretHttp: ["T@a.test"],
      secrets: ["T"],
      services: { ready: 1 },
      shells: 2
    }
    const full = await shown("workspace.status", { ...workspace, ...some, state: "running" }, {})
    assert.deepStrictEqual(full.out.match(/^(ports|secret hosts|secrets|services|shells) /gm)?.length, 5)
  })

  it("the network of a workspace that is being made is unknown, and off where there is none", async () => {
    const made = await shown("workspace.status", { ...workspace, state: "creating" }, {})
    assert.match(made.out, /\nnetwork +-\n/)
    const listed = await shown("workspace.list", { workspaces: [{ ...workspace, state: "creating" }] } as never, {})
    assert.match(listed.out, /creating +debian:12 +- /)
    const network = { networkPolicy: "off", allowHosts: [], denyHosts: [], allowIps: [] }
    const off = await shown("workspace.status", { ...workspace, state: "running", network } as never, {})
    assert.match(off.out, /\nnetwork +off\n/)
  })

  it("status shows when pyro pauses a workspace, and the commands of a paused one as standing still", async () => {
    const some = { ...workspace, runningCommands: 2, pauseAfterSeconds: 1_800 }
    const running = await shown("workspace.status", { ...some, state: "running" }, {})
    assert.match(running.out, /\ncommands +2 running\n/)
    assert.match(running.out, /\npauses +after 1800 s without a use\n/)
    const paused = await shown("workspace.status", { ...some, state: "paused" }, {})
    assert.match(paused.out, /\ncommands +2 standing still\n/)
    const never = await shown("workspace.status", { ...workspace, state: "running" }, {})
    assert.notInclude(never.out, "pauses")
  })

  it("create names a command that every environment of Debian has, and none for an image of others", async () => {
    const made = (environment: string) =>
      shown("workspace.create", { workspace: { ...workspace, environment, state: "running" } } as never, {})
    assert.match((await made("debian:13-build")).err, /Use it: pyro exec fix ls\n/)
    assert.match((await made("docker.io/library/distroless:1")).err, /Use it: pyro exec fix COMMAND\n/)
  })

  it("status shows the memory of a paused workspace beside its disk", async () => {
    const used = { ...workspace, diskUsedBytes: 2 * 1024 ** 2 }
    const paused = await shown("workspace.status", { ...used, pausedBytes: 80 * 1024 ** 2, state: "paused" }, {})
    assert.match(paused.out, /\ndisk use +2(\.0)? MiB on this host, and 80 MiB of paused memory\n/)
    const running = await shown("workspace.status", { ...used, state: "running" }, {})
    assert.match(running.out, /\ndisk use +2(\.0)? MiB on this host\n/)
  })

  it("status of a failed workspace shows the command that starts it", async () => {
    const detail = "the microVM failed (attach): the QEMU of vm-1 is gone: the host restarted, or QEMU was killed"
    const failed = await shown("workspace.status", { ...workspace, state: "failed", detail }, {})
    assert.match(failed.out, /\nstate +failed: .*the host restarted/)
    assert.match(failed.out, /\nnext +pyro start fix\n/)
    const running = await shown("workspace.status", { ...workspace, state: "running" }, {})
    assert.notInclude(running.out, "next")
  })
})
