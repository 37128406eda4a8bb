import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { buildPrograms, type FloorPrograms } from "../../../bench/floors/build.ts"
import { emptyQcow2 } from "../../../bench/floors/qcow2.ts"
import { qcow2Header } from "../../../src/lib/disk/qcow2.ts"

const mib = 1024 * 1024
let folder: string
let programs: FloorPrograms

beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-floors-"))
  programs = buildPrograms(path.join(import.meta.dirname, "../../../bench/floors"), folder)
})
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

/** A sparse file with data at both ends, inside, and across the borders of what the threads take. */
const sparseFile = (name: string) => {
  const file = path.join(folder, name)
  const fd = fs.openSync(file, "w")
  fs.ftruncateSync(fd, 64 * mib + 123)
  for (const at of [0, 5 * mib - 100, 33 * mib, 64 * mib + 100]) {
    fs.writeSync(fd, randomBytes(at === 0 ? 4096 : 23), 0, undefined, at)
  }
  fs.closeSync(fd)
  return file
}

describe("the floor's host program", () => {
  it("the floor's host program copies a sparse file exactly and leaves out its holes", () => {
    const source = sparseFile("source")
    const copy = path.join(folder, "copy")
    execFileSync(programs.host, ["copy", source, copy])
    expect(fs.readFileSync(copy).equals(fs.readFileSync(source))).toBe(true)
    expect(fs.statSync(copy).blocks * 512).toBeLessThan(mib)
  })

  it("the floor's host program frees pages of zeros and keeps all others", () => {
    const file = path.join(folder, "zeros")
    const content = Buffer.concat([Buffer.alloc(4 * mib), randomBytes(4096), Buffer.alloc(4 * mib)])
    fs.writeFileSync(file, content)
    const before = fs.statSync(file).blocks
    execFileSync(programs.host, ["punch", file])
    expect(fs.readFileSync(file).equals(content)).toBe(true)
    expect(fs.statSync(file).blocks).toBeLessThan(before / 100)
  })

  it("the floor's host program measures a constant time stamp counter", () => {
    const measure = () => Number(execFileSync(programs.host, ["tsc"], { encoding: "utf8" }))
    const [first, second] = [measure(), measure()]
    expect(first).toBeGreaterThan(100_000)
    expect(Math.abs(first - second) / first).toBeLessThan(0.001)
  })

  it("the floor's host program reports a missing source", () => {
    expect(() =>
      execFileSync(programs.host, ["copy", path.join(folder, "none"), path.join(folder, "to")], { stdio: "pipe" })
    )
      .toThrow(/No such file/)
  })
})

describe("the floor's empty overlay", () => {
  it("the floor's empty overlay has the same bytes as the product's", () => {
    const virtualBytes = 16 * 1024 * mib
    expect(emptyQcow2(virtualBytes).equals(qcow2Header({ virtualBytes }))).toBe(true)
  })
})
