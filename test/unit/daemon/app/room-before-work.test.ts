import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema, Stream } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { acquireBuilder } from "../../../../src/building/builder/acquire.ts"
import { createOfDockerfile } from "../../../../src/building/create.ts"
import { createOfDevContainer } from "../../../../src/building/devcontainer/create.ts"
import { buildEnvironment, pullEnvironment } from "../../../../src/building/making.ts"
import { BuildPayload, PullPayload } from "../../../../src/contract/rows/environment.ts"
import { nextVm } from "../../../../src/contract/rows/next-vm-fields.ts"
import type { PyroService } from "../../../../src/contract/rows/Pyro.ts"
import { RunPayload } from "../../../../src/contract/rows/run.ts"
import { CreatePayload } from "../../../../src/contract/rows/workspace-lifecycle.ts"
import { run } from "../../../../src/daemon/app/run.ts"
import type { HostServices } from "../../../../src/daemon/app/services.ts"
import { Environments } from "../../../../src/lib/environment/Environments.ts"
import { Kernel } from "../../../../src/lib/environment/Kernel.ts"
import { newRecord, newVmId, vmPaths, writeRecord } from "../../../../src/lib/vm/model/record.ts"
import { Paths } from "../../../../src/system/files/Paths.ts"
import { ownIdentity } from "../../../../src/system/processes/identity.ts"
import { scratch } from "../../lib/environment/scratch.ts"

/** A VM that was promised more than any host has. */
const greedy = newRecord({
  createdAt: "1970-01-01T00:00:00.000Z",
  id: newVmId(),
  purpose: "workspace",
  uid: 0,
  memoryMib: 1_000_000_000,
  vcpuCount: 1,
  process: ownIdentity()
})

/** No other operation can be asked: each would fail otherwise. */
const nobody = {} as PyroService

/** How work ends on a full host that has no environment, and can neither build nor start anything. */
const onFullHost = <A, E extends { readonly _tag: string }>(
  work: (folder: string) => Effect.Effect<A, E, HostServices>
) =>
  Effect.gen(function*() {
    const folder = yield* scratch
    const paths = { cacheDir: path.join(folder, "cache"), stateDir: folder, memoryDir: folder }
    const place = vmPaths(paths, greedy.id)
    fs.mkdirSync(place.directory, { recursive: true })
    yield* writeRecord(place, greedy)
    const absent = Layer.succeed(Kernel, undefined as unknown as Kernel["Service"])
    const host = Layer.provideMerge(Environments.layer, Layer.merge(absent, Layer.succeed(Paths, paths)))
    return yield* work(folder).pipe(
      Effect.provide(host as unknown as Layer.Layer<HostServices>),
      Effect.flip
    )
  })

const noRoom = { _tag: "NoSpace", where: "memory store", neededMib: 1024 } as const

describe("a microVM without room on its host", () => {
  it.live("is refused before the build of its absent environment", () =>
    Effect.gen(function*() {
      const payload = Schema.decodeSync(RunPayload())({ command: ["true"] })
      assert.deepInclude(yield* onFullHost(() => Stream.runDrain(run(payload))), noRoom)
    }))

  it.live("is refused before the pull of its image", () =>
    Effect.gen(function*() {
      for (const environment of ["docker.io/library/python:3", "oci-archive:/absent.tar", "debian:12"]) {
        const payload = { ...Schema.decodeSync(PullPayload())({ environment }), ...nextVm({}) }
        assert.deepInclude(yield* onFullHost(() => Stream.runDrain(pullEnvironment(nobody)(payload))), noRoom)
      }
    }))

  it.live("is refused before the build of its Dockerfile or dev container", () =>
    Effect.gen(function*() {
      const files = ["dockerfile", "devcontainer"] as const
      for (const file of files) {
        const failure = yield* onFullHost((folder) => {
          fs.writeFileSync(path.join(folder, "Dockerfile"), "FROM docker.io/library/debian:12\n")
          fs.writeFileSync(path.join(folder, ".devcontainer.json"), `{ "image": "docker.io/library/debian:12" }`)
          const payload = Schema.decodeSync(BuildPayload())({ name: "app", [file]: folder })
          return Stream.runDrain(buildEnvironment({ ...payload, ...nextVm({}) }, nobody))
        })
        assert.deepInclude(failure, noRoom, file)
      }
      const created = yield* onFullHost((devcontainer) => {
        fs.writeFileSync(path.join(devcontainer, ".devcontainer.json"), `{ "image": "docker.io/library/debian:12" }`)
        const payload = Schema.decodeSync(CreatePayload())({ devcontainer })
        const workspaces = { create: () => Stream.die("asked"), remember: () => Effect.die("asked") }
        return Stream.runDrain(createOfDevContainer(nobody, { ...payload, devcontainer }, workspaces))
      })
      assert.deepInclude(created, noRoom)
      const ofDockerfile = yield* onFullHost((dockerfile) => {
        fs.writeFileSync(path.join(dockerfile, "Dockerfile"), "FROM docker.io/library/debian:12\n")
        const payload = Schema.decodeSync(CreatePayload())({ dockerfile })
        return Stream.runDrain(createOfDockerfile(nobody, { ...payload, dockerfile }, () => Stream.die("asked")))
      })
      assert.deepInclude(ofDockerfile, noRoom)
    }))

  it.live("is refused before the build of the environment of builders, if it is a builder", () =>
    Effect.gen(function*() {
      const building = { reference: "app", allowHosts: [], onProgress: () => {} }
      assert.deepInclude(yield* onFullHost(() => Effect.scoped(acquireBuilder(nobody, building))), noRoom)
    }))
})
