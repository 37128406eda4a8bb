import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Outcome, packDriver, processesOf, startDriver, until } from "../support/environment/process.ts"

const name = "debian:12-base"
let pack: Awaited<ReturnType<typeof packDriver>>

beforeAll(async () => {
  pack = await packDriver()
})

afterAll(() => pack.remove())

const environments = (home: string) => path.join(home, "cache", "environments")

const digestOf = ({ error, ok }: Outcome) => {
  assert.isUndefined(error, error?.message)
  return ok?.["digest"]
}

/**
 * An ordinary user with subordinate ids on a host with too little memory to build in, both only so in the mount namespace of
 * what `prefix` starts: this host's own list of users is not touched.
 */
const ordinaryUserWithLittleMemory = () => {
  const id = 47_111
  const user = path.join(pack.home, "user")
  fs.mkdirSync(user)
  fs.chownSync(user, id, id)
  const meminfo = path.join(pack.home, "meminfo")
  fs.writeFileSync(meminfo, "MemTotal: 1000000 kB\nMemAvailable: 500000 kB\n")
  const append = (file: string, line: string) => {
    const copy = path.join(pack.home, file)
    fs.writeFileSync(copy, fs.readFileSync(`/etc/${file}`, "utf8") + line + "\n")
    return `mount --bind ${copy} /etc/${file}`
  }
  const script = [
    append("passwd", `pyro-test:x:${id}:${id}::${user}:/bin/sh`),
    append("group", `pyro-test:x:${id}:`),
    append("subuid", "pyro-test:1000000000:65536"),
    append("subgid", "pyro-test:1000000000:65536"),
    `mount --bind ${meminfo} /proc/meminfo`,
    `exec setpriv --reuid=${id} --regid=${id} --clear-groups "$@"`
  ].join(" && ")
  return { home: user, prefix: ["unshare", "--mount", "sh", "-c", script, "sh"] }
}

describe.skipIf(process.getuid!() !== 0)("an ordinary user's build", () => {
  it("on disk, also after a killed one, is the image that root builds in memory", async () => {
    const user = ordinaryUserWithLittleMemory()
    const ensure = (options: Pick<Parameters<typeof startDriver>[0], "home" | "prefix">) =>
      startDriver({ program: pack.program, words: ["ensure", name], ...options })
    const leftovers = () => fs.readdirSync(path.join(environments(user.home), "tmp")).filter((one) => one !== ".lock")
    const killed = ensure(user)
    await killed.reaches("writing the image")
    await killed.kill()
    await until("the build is gone", () => processesOf(user.home).length === 0)
    assert.deepStrictEqual(fs.readdirSync(environments(user.home)).filter((one) => /^[0-9a-f]{64}$/.test(one)), [])
    const tree = path.join(environments(user.home), "tmp", leftovers()[0]!, "tree", "root")
    // Files of subordinate users, which the user cannot simply delete.
    assert.isAtLeast(fs.statSync(path.join(tree, "home", "agent", ".bashrc")).uid, 1_000_000_000)
    const home = path.join(pack.home, "root")
    fs.mkdirSync(home)
    const [own, roots] = await Promise.all([ensure(user), ensure({ home })].map(({ ended }) => ended))
    assert.strictEqual(digestOf(own!), digestOf(roots!))
    assert.deepStrictEqual(leftovers(), [])
  })
})
