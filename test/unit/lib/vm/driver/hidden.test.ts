import { assert, describe, it } from "@effect/vitest"
import * as fs from "node:fs"
import * as path from "node:path"
import type { Vm } from "../../../../../src/lib/vm/model/Vm.ts"

const sources = path.resolve(import.meta.dirname, "../../../../../src")

/** Fails to compile if a driver's own field is visible in `Vm`. */
type Hidden = Extract<keyof Vm, "qemu" | "qmp" | "port" | "paths" | "uid" | "record">
const hidden: Hidden extends never ? true : false = true

const sourceFiles = (folder: string): ReadonlyArray<string> =>
  fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name)
    return entry.isDirectory() ? sourceFiles(file) : [file]
  })

describe("the interface of a VM", () => {
  it("only the driver's folder uses a driver's process, monitor, port and files", () => {
    assert.isTrue(hidden)
    const users = sourceFiles(sources).filter((file) =>
      !file.startsWith(path.join(sources, "lib/vm/driver/")) &&
      /\bvm\.(qemu|qmp|port|paths|uid)\b|\bpaths\.memory\b.*\bguest\b/.test(fs.readFileSync(file, "utf8"))
    )
    assert.deepStrictEqual(users.map((file) => path.relative(sources, file)), [])
  })
})
