import { afterAll, assert, describe, it } from "vitest"
import { installation, vmmOf } from "../support/installation.ts"
import { startPyro, until } from "../support/pyro-cli.ts"
import { settled, settlesAs } from "../support/settled.ts"
import { restingCases } from "../support/suites/resting-cases.ts"
import { diskDevice } from "../support/vm/vmm.ts"
import { comparisons, told } from "../support/workspace/comparisons.ts"
import { snapshots } from "../support/workspace/snapshots.ts"

// test/soak/workspace-compare.test.ts has different seeds, more pairs of snapshots and stopped workspaces, cancelled comparisons and races, too.
const pyro = installation("pyro-compare-")
const { call, create, failure, inventory, json, killedAt, sh, status, step } = pyro
afterAll(pyro.close)
const { fork } = snapshots(pyro)
const compared = comparisons(pyro)
const { becomes, compare, leftovers, project, seed } = compared

describe("two forks that went different ways", { concurrent: false }, () => {
  it("compare gives a patch that turns one fork's files into the other's", async () => {
    await create(["--name", "one", "--seed-path", project])
    await sh(
      "one",
      "head -c 5000 /dev/urandom > both.bin; echo shared > both; seq 20 > size; ln -s README link; rm gone"
    )
    await fork("one", "--name", "two")
    await sh(
      "one",
      `echo more >> README; sed -i 's/^line 3$/LINE 3/' src/main; head -c 3000 /dev/urandom > 'a b.bin'
       rm -r 'src/old name'; rm 'was a file'; ln -s src 'was a file'; mkdir a; echo x > a/file; printf '%s' 12345 > twin; mkfifo fifo`
    )
    await sh(
      "two",
      `sed -i 's/^line 30$/LINE 30/' src/main; chmod +x src/tool; mv src/main src/main.txt
       head -c 3000 /dev/urandom > 'a b.bin'; ln -sf src link; echo gone > gone; echo file > a; printf '%s' 54321 > twin
       printf 'tab\\there' > "$(printf 'n\\303\\244me\\t')"; seq 20 > size; : > empty`
    )
    const before = await settled(leftovers)
    const there = await compare("one", "two")
    assert.deepStrictEqual(told(there), [
      "modified README",
      "added a",
      "modified a b.bin",
      "deleted a/file",
      "added empty",
      "added gone",
      "modified link",
      "added \"n\\303\\244me\\t\"",
      "deleted src/main",
      "added src/main.txt",
      "added src/old name",
      "modified src/tool",
      "modified twin",
      "type_changed was a file"
    ])
    await becomes("one", "two", there.patch!)
    const back = await compare("two", "one", "--verified")
    assert.strictEqual(back.special_count, 1)
    await becomes("two", "one", back.patch!)
    assert.deepStrictEqual(
      { ...await compare("one", "two", "--verified"), verified: false },
      { ...there, verified: false }
    )
    await settlesAs(leftovers, before)
  })

  it("compare shows renames, limits itself to paths, and shows counts only", async () => {
    await sh("one", "mv both moved")
    const { files } = await compare("one", "two", "--path", "both", "--path", "moved", "--path", "twin", "--stat")
    assert.deepStrictEqual(files.map(({ from, path, status }) => [status, from, path]), [
      ["renamed", "moved", "both"],
      ["modified", undefined, "twin"]
    ])
    const { code, stderr, stdout } = await call(["workspace", "compare", "one", "two", "--path", "both.bin"])
    assert.deepStrictEqual([code, stdout.toString()], [0, ""])
    assert.include(stderr, "nothing differs in these paths")
    await sh("one", "mv moved both")
  })

  it("compare leaves out ignored files, unless one side was seeded with them", async () => {
    await sh("one", "mkdir build; echo 1 > build/only; echo 1 > x.log; mkdir -p d; echo 1 > d/x.log")
    await sh("two", "echo 2 > x.log")
    const paths = ["build", "x.log", "d", "pushed.log"].flatMap((name) => ["--path", name])
    const without = await compare("one", "two", ...paths)
    assert.deepStrictEqual([told(without), without.ignored_count], [[], 3])
    const all = await compare("one", "two", ...paths, "--include-ignored")
    assert.deepStrictEqual(told(all), ["deleted build/only", "deleted d/x.log", "modified x.log"])

    const pushed = seed("pushed", { "pushed.log": "pushed\n", "README": "pushed\n" })
    await json(["workspace", "sync", "push", "two", pushed])
    const later = await compare("one", "two", ...paths)
    assert.deepStrictEqual(told(later), ["added pushed.log"])
    assert.include((await compare("one", "two", "--path", "README")).patch, "\n+pushed\n")
  })
})

describe("a snapshot, and a workspace that does not run", () => {
  restingCases(pyro, compared)

  it("a stopped workspace can be deleted while a client reads it", async () => {
    await create(["--name", "still", "--seed-path", project])
    await sh("still", "head -c 60000000 /dev/zero > zeros")
    await step("stop", "still")
    const reading = startPyro(["workspace", "export", "still", "zeros", "--output", "-"], { env: pyro.env })
    reading.child.stdout!.pause()
    const inspectors = async () => (await pyro.daemon()).vms.filter(({ purpose }) => purpose === "inspector").length
    await until("an inspector reads it", async () => await inspectors() === 1)
    await json(["workspace", "delete", "still"])
    reading.child.stdout!.resume()
    assert.notStrictEqual((await reading.finished).code, 0)
    assert.strictEqual(await inspectors(), 0)
  })

  it("compare reads a failed workspace as its next start would find it", async () => {
    await create(["--name", "dead", "--seed-path", project])
    await fork("dead", "--name", "alive")
    await sh("dead", "echo written > written; sync; echo unwritten > unwritten")
    process.kill(await vmmOf(pyro, (await status("dead")).id), "SIGKILL")
    await until("it has failed", async () => (await status("dead")).state === "failed")
    const found = told(await compare("alive", "dead"))
    assert.include(found, "added written")
    await step("start", "dead")
    assert.deepStrictEqual(told(await compare("alive", "dead")), found)
  })
})

describe("a disk that a guest has broken on purpose", { concurrent: false }, () => {
  it("a damaged disk affects only the temporary VM that reads it", async () => {
    await create(["--name", "hostile", "--seed-path", project])
    await fork("hostile", "--name", "sound")
    await sh("sound", "echo x > x")
    // The folder that the tree is in is a link to what the machine that reads it is made of.
    await sh(
      "hostile",
      `mkdir /tmp/disk; mount ${diskDevice} /tmp/disk; mv /tmp/disk/workspace /tmp/disk/away; ln -s / /tmp/disk/workspace; sync`
    )
    await step("stop", "hostile")
    const led = await failure(["workspace", "compare", "hostile", "sound"])
    assert.strictEqual(led.code, "disk_damaged", led.message)
    const listed = await failure(["workspace", "file", "list", "hostile"])
    assert.strictEqual(listed.code, "disk_damaged", listed.message)

    await create(["--name", "scrambled", "--seed-path", project])
    await sh("scrambled", `dd if=/dev/urandom of=${diskDevice} bs=1M count=8 conv=fsync 2> /dev/null`)
    await step("stop", "scrambled")
    const broken = await failure(["workspace", "compare", "scrambled", "sound"])
    assert.strictEqual(broken.code, "disk_damaged", broken.message)
    assert.deepStrictEqual((await pyro.daemon()).vms.filter(({ purpose }) => purpose === "inspector"), [])
    assert.deepStrictEqual(told(await compare("one", "sound", "--path", "x")), ["added x"])
  })
})

describe("a comparison that cannot be made", { concurrent: false }, () => {
  it("a comparison with an unknown workspace or snapshot suggests similar names", async () => {
    const unknown = [
      [["onee", "two"], "workspace_not_found", "one"],
      [["one", "w@frist"], "snapshot_not_found", "first"]
    ] as const
    for (const [args, code, name] of unknown) {
      const error = await failure(["workspace", "compare", ...args])
      assert.strictEqual(error.code, code, error.message)
      assert.include(error["similar"] as ReadonlyArray<string>, name)
    }
    const invalid = [[["one", "w@"], "<to>"], [["one", "two", "--path", "../x"], "--path"]] as const
    for (const [args, field] of invalid) {
      assert.deepInclude(await failure(["workspace", "compare", ...args]), { code: "invalid_request", field })
    }
  })

  it("a comparison leaves nothing when the daemon is killed", async () => {
    await killedAt("compare:staged", ["workspace", "compare", "w@first", "w"])
    assert.deepStrictEqual(told(await compare("w@first", "w@second")), ["deleted README", "modified file"])
    await settlesAs(() => inventory().filter((line) => line.includes("compared")), [])
  })
})
