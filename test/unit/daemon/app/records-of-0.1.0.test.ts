import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, type Scope } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { DaemonRecord } from "../../../../src/daemon/app/daemon-control.ts"
import { KeptPage } from "../../../../src/daemon/page.ts"
import { ownDefinitions, ownFolder } from "../../../../src/lib/environment/model/own.ts"
import { SecretRegistry } from "../../../../src/lib/redaction/secrets.ts"
import { readPushed } from "../../../../src/lib/seeding/model/pushed.ts"
import { listVmIds, readRecord, vmPaths } from "../../../../src/lib/vm/model/record.ts"
import { recall } from "../../../../src/project/memory.ts"
import { currentContext, findContext } from "../../../../src/remote/contexts.ts"
import { sourceOf } from "../../../../src/remote/model/sources.ts"
import { listTokens } from "../../../../src/serve/tokens.ts"
import { readJson } from "../../../../src/system/files/atomic-file.ts"
import { Paths } from "../../../../src/system/files/Paths.ts"
import { readQuotas } from "../../../../src/system/files/quotas.ts"
import { ProcessVariables } from "../../../../src/system/settings/config.ts"
import { ArchiveReader } from "../../../../src/workspace/disk/saved/archive.ts"
import { readManifest } from "../../../../src/workspace/disk/saved/imported.ts"
import { EventLog, readEvents } from "../../../../src/workspace/entry/events.ts"
import { folderOf, readWorkspace, type WorkspaceId, writeWorkspace } from "../../../../src/workspace/entry/record.ts"
import { linkedBase } from "../../../../src/workspace/life/guest/base.ts"
import { readPoints } from "../../../../src/workspace/life/records/point.ts"
import { readSaved, savedFolder } from "../../../../src/workspace/life/records/saved.ts"
import { findSnapshot, snapshotInfo } from "../../../../src/workspace/life/records/snapshot.ts"
import { readTried } from "../../../../src/workspace/life/records/tried.ts"
import { CommandJournal } from "../../../../src/workspace/residents/exec/journal.ts"
import { openConnectionLog } from "../../../../src/workspace/residents/network/log.ts"
import { residentKinds } from "../../../../src/workspace/residents/open/kinds.ts"
import { openTable } from "../../../../src/workspace/residents/port/table.ts"
import { readHeaderSecrets } from "../../../../src/workspace/residents/secret/header-secret-file.ts"
import { readSecrets } from "../../../../src/workspace/residents/secret/secret-file.ts"
import { readServices } from "../../../../src/workspace/residents/service/state.ts"
import { temporaryDirectory } from "../../lib/disk/temporary-directory.ts"

// A daemon of 0.1.0 wrote test/fixtures/records/0.1.0: a workspace with a seed, a push, secrets, a service, a published port, a snapshot, points,
// a rewind and a try; a saved snapshot; an environment of its own; a project. Paths of the machine are replaced, and the key of the certificate.

const root = path.join(import.meta.dirname, "../../../..")
const fixtures = path.join(root, "test/fixtures/records/0.1.0")
const id = "ws-e975e000a1" as WorkspaceId

/** A copy of the state directory: readers may repair what they read. */
const copied = Effect.map(temporaryDirectory, (stateDir) => {
  fs.cpSync(path.join(fixtures, "state"), stateDir, { recursive: true })
  return { stateDir, folder: folderOf(stateDir, id) }
})
type Copied = Effect.Success<typeof copied>

const some = <A, E, R>(found: Effect.Effect<Option.Option<A>, E, R>) => Effect.map(found, Option.getOrThrow)

/** The files that a base links. They have only their sizes here. */
const fillBase = (folder: string) => {
  const { environment, kernel } = JSON.parse(fs.readFileSync(path.join(folder, "base.json"), "utf8")) as {
    readonly environment: { readonly sizeBytes: number }
    readonly kernel: { readonly vmlinuxBytes: number; readonly initrdBytes: number }
  }
  const sizes = { "environment.erofs": environment.sizeBytes, vmlinux: kernel.vmlinuxBytes, initrd: kernel.initrdBytes }
  for (const [name, bytes] of Object.entries(sizes)) {
    fs.writeFileSync(path.join(folder, name), "")
    fs.truncateSync(path.join(folder, name), bytes)
  }
}

/** Reads of a client, which finds its directory in its variables. */
const inDirectory = <A, E>(stateDir: string, read: Effect.Effect<A, E>) =>
  Effect.provideService(read, ProcessVariables, { PYRO_STATE_DIR: stateDir })

/** What reads a record, by the file of src with its Schema and the Schema's name there; gives the part of it that the fixture must have. */
const readers = {
  "src/workspace/entry/record.ts#WorkspaceRecord": [
    ({ folder }) =>
      Effect.map(some(readWorkspace(folder, residentKinds)), ({ env, format, labels, name, phase }) => ({
        ...{ env, format, labels, name, phase }
      })),
    { env: { COLOUR: "blue" }, format: 3, labels: { made: "by-0.1.0" }, name: "kept", phase: "running" }
  ],
  "src/workspace/entry/events.ts#Event": [
    ({ folder }) => Effect.map(readEvents(folder.directory), (events) => [events.length, events[0]?._tag]),
    [18, "seed"]
  ],
  "src/workspace/residents/exec/journal.ts#Line": [
    ({ folder }) =>
      Effect.sync(() =>
        new CommandJournal(path.join(folder.directory, "commands.jsonl")).commands.map(({ start }) => start.command[0])
      ),
    ["sh", "sh", "sh", "sleep", "pyro", "pyro", "sleep", "pyro"]
  ],
  "src/workspace/residents/network/log.ts#Line": [
    ({ folder }) => Effect.map(openConnectionLog(folder.directory), ({ totals }) => totals().denied),
    1
  ],
  "src/workspace/residents/secret/secret-file.ts#SecretFile": [
    ({ folder }) => Effect.map(readSecrets(folder.directory), ({ secrets }) => secrets.map(({ name }) => name)),
    ["TOKEN", "HDR"]
  ],
  "src/workspace/residents/secret/header-secret-file.ts#HeaderSecretFile": [
    ({ folder }) => Effect.map(readHeaderSecrets(folder.directory), ({ bindings }) => bindings.map(({ host }) => host)),
    ["api.example.org"]
  ],
  "src/workspace/residents/port/table.ts#PortFile": [
    ({ folder }) => Effect.map(openTable(folder.directory), ({ published }) => [...published.keys()]),
    [3000]
  ],
  "src/workspace/residents/service/state.ts#StoredServices": [
    ({ folder }) =>
      Effect.map(readServices(folder.directory), (services) => services.map(({ name, wanted }) => [name, wanted])),
    [["web", "running"]]
  ],
  "src/workspace/life/records/snapshot.ts#SnapshotRecord": [
    ({ folder }) =>
      Effect.map(findSnapshot({ id, folder } as never, "before"), (snapshot) => [
        snapshotInfo(snapshot).kind,
        Object.keys(snapshot.record.captured.residents)
      ]),
    ["memory", ["execs", "ports", "services"]]
  ],
  "src/workspace/life/records/point.ts#PointRecord": [
    ({ folder }) => Effect.map(readPoints(folder), (points) => points.map(({ record }) => record.number)),
    [1, 3, 4, 6]
  ],
  "src/workspace/life/records/tried.ts#Tried": [
    ({ folder }) => Effect.sync(() => readTried(folder.directory)?.candidates.map(({ name }) => name)),
    ["true", "false"]
  ],
  "src/workspace/life/records/saved.ts#SavedRecord": [
    ({ stateDir }) =>
      Effect.map(
        some(readSaved(savedFolder(path.join(stateDir, "saved/green")))),
        ({ record }) => [record.name, record.from, record.captured?.layers]
      ),
    ["green", "kept", 6]
  ],
  "src/workspace/life/guest/base.ts#Base": [
    ({ folder }) =>
      Effect.suspend(() => {
        fillBase(path.join(folder.directory, "base"))
        return Effect.map(linkedBase(path.join(folder.directory, "base")), ({ environment }) => environment.name)
      }),
    "debian:12"
  ],
  "src/workspace/disk/saved/manifest.ts#Manifest": [
    () =>
      Effect.gen(function*() {
        const bytes = fs.readFileSync(path.join(fixtures, "archive/green.head"))
        let at = 0
        const reader = new ArchiveReader((length) => Promise.resolve(bytes.subarray(at, at += length)))
        const { layers, name } = yield* readManifest(yield* Effect.promise(() => reader.manifest()))
        return { layers, name }
      }),
    { layers: 6, name: "green" }
  ],
  "src/lib/seeding/model/pushed.ts#Record": [
    ({ folder }) => Effect.map(readPushed(folder.directory), ({ entries }) => [...entries.keys()]),
    ["a.txt"]
  ],
  "src/lib/vm/model/record.ts#VmRecord": [
    ({ stateDir }) =>
      Effect.gen(function*() {
        const [vm] = listVmIds(stateDir)
        const { machine } = yield* some(readRecord(vmPaths(yield* Paths, vm!)))
        return machine?.memoryMib
      }),
    256
  ],
  "src/lib/environment/model/own.ts#Definition": [
    ({ stateDir }) => Effect.map(some(ownDefinitions(ownFolder(stateDir)).find("own")), ({ from }) => from),
    "debian:12"
  ],
  "src/remote/contexts.ts#Stored": [
    ({ stateDir }) => Effect.map(inDirectory(stateDir, findContext("bench")), ({ url }) => url),
    "ssh://me@bench.example:2222"
  ],
  "src/remote/contexts.ts#Current": [({ stateDir }) => inDirectory(stateDir, currentContext), "bench"],
  "src/serve/tokens.ts#Stored": [
    ({ stateDir }) =>
      Effect.map(
        inDirectory(stateDir, Effect.provide(listTokens, Paths.layer)),
        (tokens) => tokens.map(({ tenant }) => tenant)
      ),
    ["research"]
  ],
  "src/system/files/quotas.ts#Quotas": [
    ({ stateDir }) => inDirectory(stateDir, Effect.provide(readQuotas("research"), Paths.layer)),
    { workspaces: 20, memoryMib: 32768, commands: 50 }
  ],
  "src/remote/model/sources.ts#Stored": [
    ({ stateDir }) =>
      sourceOf({ stateDir, context: { name: "bench", url: "ssh://me@bench.example:2222" } }, "ws-791bed4a53"),
    "/home/user/service"
  ],
  "src/project/memory.ts#Memory": [
    () => Effect.map(recall("/home/user/service"), ({ workspace }) => workspace?.id),
    "ws-791bed4a53"
  ],
  "src/daemon/page.ts#KeptPage": [
    ({ stateDir }) =>
      Effect.map(some(readJson(path.join(stateDir, "daemon/page.json"), KeptPage)), ({ sessions }) => sessions.length),
    2
  ],
  "src/daemon/serve.ts#DaemonRecord": [
    ({ stateDir }) =>
      Effect.map(
        some(readJson(path.join(stateDir, "daemon/daemon.json"), DaemonRecord)),
        ({ version }) => version.split(" ")[0]
      ),
    "0.1.0"
  ]
} satisfies Readonly<
  Record<
    string,
    readonly [
      (
        from: Copied
      ) => Effect.Effect<unknown, unknown, EventLog | Paths | SecretRegistry | Scope.Scope>,
      unknown
    ]
  >
>

/** Records of the cache, which a pyro that cannot read them makes anew; the image store's are in test/unit/lib/environment. */
const ofCaches = [
  "src/lib/disk/seed/store.ts#Known",
  "src/lib/environment/Kernel.ts#InitramfsRecord",
  "src/lib/environment/image/store.ts#Manifest",
  "src/lib/environment/image/store.ts#NameRecord",
  "src/lib/environment/kernel/home.ts#Kept",
  "src/lib/environment/kernel/home.ts#Manifest",
  "src/lib/environment/kernel/home.ts#Schema.String",
  "src/lib/vm/model/HostFacts.ts#Facts",
  "src/lib/vm/model/templates.ts#TemplateManifest"
]

/** What src writes as JSON or as lines of JSON, by file and Schema. */
const written = () =>
  fs.readdirSync(path.join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && name !== "system/files/atomic-file.ts")
    .flatMap((name) => {
      const text = fs.readFileSync(path.join(root, "src", name), "utf8")
      const files = text.matchAll(/\bwriteJsonAtomic\(\s*(?:[^(),]|\([^()]*(?:\([^()]*\)[^()]*)*\))+,\s*([\w.]+),/g)
      const logs = text.matchAll(/^const Line = Schema\.fromJsonString\(\s*(Event)?/gm)
      return [
        ...[...files].map(([, schema]) => `src/${name}#${schema}`),
        ...[...logs].map(([, event = "Line"]) => `src/${name}#${event}`)
      ]
    })

describe("records of 0.1.0", () => {
  for (const [name, [read, expected]] of Object.entries(readers)) {
    it.live(`${name} of 0.1.0 is read`, () =>
      Effect.gen(function*() {
        const from = yield* copied
        const found = yield* Effect.provide(read(from) as Effect.Effect<unknown>, Paths.layerIn(from.stateDir))
        assert.deepStrictEqual(found, expected)
      }).pipe(Effect.provide(EventLog.layer), Effect.provide(SecretRegistry.layer), Effect.scoped))
  }

  it("every record that src writes has a fixture and a reader here", () => {
    const known = [...Object.keys(readers), ...ofCaches].filter((name) => !name.endsWith("saved/manifest.ts#Manifest"))
    assert.deepStrictEqual([...new Set(written())].sort(), known.sort())
  })

  it("every kind of resident that has a state is in the fixtures", () => {
    const texts = fs.readdirSync(fixtures, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith("record.json"))
      .map((name) => fs.readFileSync(path.join(fixtures, name), "utf8"))
    const absent = residentKinds.map(({ key }) => key)
      .filter((key) => !texts.some((text) => text.includes(`"${key}":{"format":`)))
    assert.deepStrictEqual(absent, ["shells", "ssh"], "their state is empty")
  })

  it.live("a record of 0.1.0 that is read and written again is the same", () =>
    Effect.gen(function*() {
      const { folder } = yield* copied
      const before = JSON.parse(fs.readFileSync(folder.record, "utf8")) as unknown
      yield* writeWorkspace(folder, yield* some(readWorkspace(folder, residentKinds)))
      assert.deepStrictEqual(JSON.parse(fs.readFileSync(folder.record, "utf8")), before)
    }).pipe(Effect.scoped))
})
