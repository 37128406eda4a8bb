import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { findFirecracker, firecrackerBuild } from "../../../../../../src/lib/vm/driver/firecracker/program.ts"
import { HostFacts } from "../../../../../../src/lib/vm/model/HostFacts.ts"
import { Paths } from "../../../../../../src/system/files/Paths.ts"
import { ProcessVariables } from "../../../../../../src/system/settings/config.ts"
import { temporaryDirectory } from "../../../disk/temporary-directory.ts"

/** A program that says this at `--version`. */
const saying = (text: string, status = 0) =>
  Effect.map(temporaryDirectory, (folder) => {
    const program = path.join(folder, "firecracker")
    fs.writeFileSync(program, `#!/bin/sh\nprintf '%s\\n' '${text}' ''; exit ${status}\n`, { mode: 0o755 })
    return program
  })

const find = (program: string) =>
  Effect.gen(function*() {
    const folder = yield* temporaryDirectory
    const paths = { stateDir: folder, cacheDir: folder, memoryDir: folder } as Paths["Service"]
    return yield* Effect.provide(findFirecracker, HostFacts.layer.pipe(Layer.provide(Layer.succeed(Paths, paths))))
  }).pipe(Effect.provideService(ProcessVariables, { PYRO_FIRECRACKER: program }))

describe("the program of Firecracker", () => {
  it.live("versions from 1.12 up to the next change of the API are taken", () =>
    Effect.gen(function*() {
      for (const version of ["1.12.0", "1.12.1", "1.99.0"]) {
        const program = yield* saying(`Firecracker v${version}`)
        assert.deepStrictEqual(yield* find(program), { program, version })
      }
      const program = yield* saying("Firecracker v1.13.1-dirty")
      assert.strictEqual((yield* find(program)).version, "1.13.1")
    }))

  it.live("another version is refused by its name, with where the releases are", () =>
    Effect.gen(function*() {
      for (
        const [text, fault] of [
          ["Firecracker v1.11.9", "has version 1.11.9"],
          ["Firecracker v2.0.0", "has version 2.0.0"],
          ["QEMU", "it tells no version"]
        ]
      ) {
        const failure = yield* Effect.flip(find(yield* saying(text!)))
        assert.deepInclude(failure, { _tag: "DriverUnavailable", driver: "Firecracker" })
        assert.include(failure.message, fault!)
        assert.include(failure.message, "Install a release, 1.12 or newer")
      }
    }))

  it.live("a version that loses a workspace's memory or agent is refused with the defect and a version to take", () =>
    Effect.gen(function*() {
      for (
        const [version, defect] of [["1.14.1", /wrong pages.*1\.14\.2/], [
          "1.16.0",
          /no new connection.*1\.16\.2/
        ]] as const
      ) {
        const failure = yield* Effect.flip(find(yield* saying(`Firecracker v${version}`)))
        assert.deepInclude(failure, { _tag: "DriverUnavailable", driver: "Firecracker" })
        assert.match(failure.message, defect)
      }
      for (const version of ["1.14.2", "1.15.0", "1.16.2"]) {
        assert.strictEqual((yield* find(yield* saying(`Firecracker v${version}`))).version, version)
      }
    }))

  it.live("a program that is missing or does not run is refused", () =>
    Effect.gen(function*() {
      const failing = yield* saying("no such instruction", 3)
      const folder = path.dirname(failing)
      const unusable = path.join(folder, "unusable")
      fs.writeFileSync(unusable, "", { mode: 0o644 })
      for (
        const [program, fault] of [
          [failing, "does not tell its version"],
          [folder, "is no program that this user may run"],
          [unusable, "is no program that this user may run"],
          [`${failing}.gone`, "does not exist"]
        ] as const
      ) {
        const failure = yield* Effect.flip(find(program))
        assert.deepInclude(failure, { _tag: "DriverUnavailable" })
        assert.include(failure.message, `${program} ${fault}`)
        assert.include(failure.message, "daemon.stop")
      }
    }))

  it.live("two programs of one version are two builds", () =>
    Effect.gen(function*() {
      const [one, other] = [yield* saying("Firecracker v1.12.0"), yield* saying("Firecracker v1.12.0 of another")]
      const builds = [one, other].map((program) => firecrackerBuild({ program, version: "1.12.0" }))
      assert.notStrictEqual(builds[0], builds[1])
      assert.match(builds[0]!, /^Firecracker 1\.12\.0 \(\d+ bytes, .*Z\)$/)
    }))
})
