import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import { readManifest } from "../../../../../src/workspace/disk/saved/imported.ts"

const identity = {
  accelerator: "kvm",
  qemu: "8.2",
  cpu: "c",
  tscKhz: 1,
  kernel: "k",
  environment: "e",
  machine: "m"
}
const command = { id: "0".repeat(32), command: ["sleep", "9"], startedAt: "2026-01-01T00:00:00.000Z" }
const mib = 1024 * 1024
const good = {
  format: 1,
  name: "warm",
  hasNetwork: false,
  hadSecrets: false,
  environment: { name: "debian:12", digest: "abc" },
  vcpuCount: 1,
  memoryMib: 256,
  diskMib: 512,
  driver: "qemu",
  workspaceUser: "root",
  takenAtMs: 1,
  layers: 1,
  memory: { identity, pauseMs: 1, commands: [command] },
  files: [
    { name: "state", size: 100 },
    { name: "mem", size: 256 * mib },
    { name: "disk/seed.ext4", size: 512 * mib },
    { name: "disk/0.qcow2", size: 1000 }
  ]
}
const [state, memory, seed, layer] = good.files
const withFiles = (...files: ReadonlyArray<object | undefined>) => ({ ...good, files })
const withCommand = (change: object) => ({
  ...good,
  memory: { ...good.memory, commands: [{ ...command, ...change }] }
})
const read = (manifest: object) =>
  Effect.runSync(Effect.match(readManifest(JSON.parse(JSON.stringify(manifest))), {
    onFailure: ({ message }) => message,
    onSuccess: () => "accepted"
  }))

describe("the manifest of an imported snapshot", () => {
  it.each([
    ["with a memory", good],
    ["with diffs of a memory", withFiles(state, memory, { name: "mem.3", size: 9 }, seed, layer)],
    [
      "with the memory in the state",
      withFiles({ name: "state", size: 256 * mib }, { name: "mem", size: 0 }, seed, layer)
    ],
    ["of files alone", { ...withFiles(seed, layer), memory: undefined }],
    ["of Firecracker", { ...withFiles(state, memory, seed, { name: "disk/0.store", size: 0 }), driver: "firecracker" }],
    ["of an older pyro, without a network device", { ...good, hasTap: false }],
    ["with variables", { ...good, env: { CI: "1" }, cwd: "src" }]
  ])("a manifest %s is accepted", (_, manifest) => {
    assert.strictEqual(read(manifest), "accepted")
  })

  it.each<readonly [string, object, string]>([
    [
      "a path of the host",
      withFiles(state, memory, seed, layer, { name: "../record.json", size: 1 }),
      "disk is not whole"
    ],
    ["an absolute path", withFiles(state, memory, seed, { name: "/etc/passwd", size: 1 }), "disk is not whole"],
    ["secrets", withFiles(state, memory, seed, layer, { name: "secrets.json", size: 1 }), "disk is not whole"],
    [
      "a layer of another format",
      withFiles(state, memory, seed, { name: "disk/0.store", size: 1 }),
      "disk is not whole"
    ],
    ["a file twice", withFiles(state, memory, seed, layer, layer), "a file twice"],
    ["a memory without state", withFiles(memory, seed, layer), "memory is not whole"],
    ["a memory of files alone", { ...good, memory: undefined }, "memory is not whole"],
    ["a large memory", withFiles(state, { name: "mem", size: 257 * mib }, seed, layer), "mem is too large"],
    ["a large state", withFiles({ name: "state", size: 65 * mib }, memory, seed, layer), "state is too large"],
    [
      "a large state beside no memory",
      withFiles({ name: "state", size: 325 * mib }, { name: "mem", size: 0 }, seed, layer),
      "state is too large"
    ],
    ["a large seed", withFiles(state, memory, { name: "disk/seed.ext4", size: 513 * mib }, layer), "is too large"],
    ["a large layer", withFiles(state, memory, seed, { name: "disk/0.qcow2", size: 2000 * mib }), "is too large"],
    ["a negative size", withFiles(state, memory, seed, { name: "disk/0.qcow2", size: -1 }), `"files.3.size"`],
    ["too many layers", { ...good, layers: 257 }, `"layers"`],
    ["too much memory", { ...good, memoryMib: 9_999_999 }, `"memoryMib"`],
    ["another driver", { ...good, driver: "xen" }, `"driver"`],
    ["a variable that is none", { ...good, env: { "A=B": "1" } }, `"env"`],
    ["an option for an environment", { ...good, environment: { name: "a b", digest: "c" } }, `"environment.name"`],
    ["an id that is a path", withCommand({ id: "../../x" }), `"memory.commands.0.id"`],
    ["a command at no time", withCommand({ startedAt: "soon" }), `"memory.commands.0.startedAt"`],
    ["a network device", { ...good, hasTap: true }, `"hasTap": the workspace had a network device`],
    ["another format", { ...good, format: 2 }, `"format"`]
  ])("a manifest with %s is refused", (_, manifest, said) => {
    const message = read(manifest)
    assert.include(message, "source_path: ")
    assert.include(message, said)
  })

  it("a command brings no ports, services or files with secrets", () => {
    const manifest = withCommand({ role: "service", secretPaths: ["/run/x"], deadlineMs: 5 })
    const { memory } = Effect.runSync(readManifest(manifest))
    assert.deepStrictEqual(memory?.commands, [command])
  })
})
