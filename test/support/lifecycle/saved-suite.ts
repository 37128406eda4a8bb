import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { until } from "../pyro-cli.ts"
import { furtherCases } from "../run/further-cases.ts"
import type { LifecycleDriver } from "./lifecycle-suite.ts"
import { operations } from "./operations.ts"
import type { WorkspacesClient } from "./workspaces-client.ts"

interface Saved {
  readonly name: string
  readonly kind: string
  readonly from?: string
  readonly durable: boolean
  readonly holdsSecrets: boolean
  readonly differences: ReadonlyArray<string>
}

interface Exported {
  readonly kind: string
  readonly bytes: number
  readonly sha256: string
}

/** Saved snapshots over any VMM: all cases, or those that the VMM can make another. */
export const savedSuite = (
  name: string,
  driver: LifecycleDriver,
  { cases = "all" }: { readonly cases?: "all" | "of the VMM" } = {}
) => {
  const more = furtherCases(cases)
  let client: WorkspacesClient
  beforeAll(async () => {
    client = await driver.open()
  })
  afterAll(() => driver.close(client))

  const { call, create, list, logs, remove, saved, sh, startProgram, status } = operations(() => client)
  const inspect = (of: string) => call<Saved>("saved-inspect", { name: of })
  const refused = (work: Promise<unknown>) => work.then(() => "it succeeded", String)
  const from = (snapshot: string, as: string, more: object = {}) =>
    call("create", { name: as, from_snapshot: snapshot, ...more })
  const folderOf = (snapshot: string) => path.join(client.state, "saved", snapshot)
  const edit = (snapshot: string, from: RegExp, to: string) => {
    const file = path.join(folderOf(snapshot), "record.json")
    const record = fs.readFileSync(file, "utf8")
    assert.match(record, from)
    fs.writeFileSync(file, record.replace(from, to))
  }

  describe(`saved snapshots over ${name}`, { concurrent: false }, () => {
    it("a workspace is saved, and new ones start from it after its deletion", async () => {
      await create("origin", { labels: { of: "origin" }, env: { SAVED: "yes" } })
      await sh("origin", "echo prepared > file; echo remembered > /dev/shm/page")
      const program = await startProgram("origin", "while true; do date +%s%N > /dev/shm/now; sleep 0.02; done")
      await call("save", { workspace: "origin", name: "warm" })
      assert.strictEqual(await sh("origin", "echo later > file; cat file"), "later")
      await remove("origin")
      const { differences, from: origin, kind } = await inspect("warm")
      assert.deepStrictEqual([kind, origin, differences], ["memory", "origin", []])
      await from("warm", "one", { env: { OWN: "too" } })
      await from("warm", "two", { labels: { of: "two" } })
      const read = "cat file /dev/shm/page /etc/hostname; echo $SAVED $OWN"
      assert.strictEqual(await sh("one", read), "prepared\nremembered\none\nyes too")
      assert.strictEqual(await sh("two", read), "prepared\nremembered\ntwo\nyes")
      if (driver.capturesPrograms) {
        await sh("one", "rm -f /dev/shm/now; until [ -s /dev/shm/now ]; do sleep 0.02; done")
        const inherited = (await logs("one")).filter((one) => one.inherited === true)
        assert.deepStrictEqual(inherited.map(({ execId, outcome }) => [execId, outcome]), [[program, "running"]])
      }
      await sh("one", "echo own > file")
      assert.strictEqual(await sh("two", "cat file"), "prepared")
      const labels = (await list()).map((one) => [one.name, (one as { readonly labels?: object }).labels])
      assert.sameDeepMembers(labels, [["one", {}], ["two", { of: "two" }]])
    })

    it("a start from the disk alone has the files and no memory", async () => {
      await from("warm", "files", { disk_only: true })
      assert.strictEqual(await sh("files", "cat file; ls /dev/shm"), "prepared")
      await call("stop", { workspace: "files" })
      await call("save", { workspace: "files", name: "still" })
      await call("save", { workspace: "two", name: "disk", disk_only: true })
      assert.deepStrictEqual(await saved(), { warm: "memory", still: "disk", disk: "disk" })
      await from("still", "again")
      assert.strictEqual(await sh("again", "cat file"), "prepared")
      await remove("files", "again")
    })

    it("a name is given once, and a snapshot in use can be deleted", async () => {
      assert.include(await refused(call("save", { workspace: "two", name: "warm" })), `a saved snapshot "warm" already`)
      assert.include(await refused(from("wart", "lost")), "no saved snapshot \"wart\"")
      await from("still", "kept")
      for (const one of ["disk", "still"]) await call("saved-delete", { names: [one] })
      await call("stop", { workspace: "kept" })
      await call("start", { workspace: "kept" })
      assert.strictEqual(await sh("kept", "cat file"), "prepared")
      assert.include(await refused(call("saved-delete", { names: ["still"] })), "no saved snapshot \"still\"")
      await remove("kept")
      assert.deepStrictEqual(await saved(), { warm: "memory" })
    })

    more("what the snapshot decides cannot be said otherwise", async () => {
      const contradiction = (more: object) => refused(from("warm", "odd", more))
      assert.include(await contradiction({ memory_mib: 512 }), "memory_mib: is 256 in the saved snapshot")
      assert.include(await contradiction({ seed_path: client.state }), "seed_path: cannot go with from_snapshot")
      assert.include(await refused(call("create", { disk_only: true })), "disk_only: goes with from_snapshot only")
      assert.isFalse((await list()).some((one) => one.name === "odd"))
    })

    more("no secret of the workspace is one of a start, and its value is still removed from output", async () => {
      const value = "correct horse battery"
      await create("holder", {
        secrets: { TOKEN: value },
        secret_http: ["TOKEN@api.test.net"],
        secret_commands: ["TOKEN"],
        allow_hosts: ["api.test.net"]
      })
      await sh("holder", `printf %s "$TOKEN" > known`, { secret_env: ["TOKEN"] })
      await call("save", { workspace: "holder", name: "held" })
      assert.isTrue((await inspect("held")).holdsSecrets)
      assert.isFalse(fs.existsSync(path.join(folderOf("held"), "secret-http.json")))
      await from("held", "heir")
      const { network, secretHttp, secrets } = await status("heir")
      assert.deepStrictEqual([secrets, secretHttp, network?.networkPolicy], [[], [], "off"])
      assert.strictEqual(await sh("heir", "cat known"), "[secret:TOKEN]")
      assert.include(
        await refused(call("exec", { workspace: "heir", command: ["true"], secret_env: ["TOKEN"] })),
        "there is no secret TOKEN"
      )
      await from("held", "granted", { secrets: { OTHER: "another long value" }, allow_hosts: ["other.test.net"] })
      const granted = await status("granted")
      assert.deepStrictEqual([granted.secrets, granted.network?.allowHosts], [["OTHER"], ["other.test.net"]])
      await remove("holder", "heir", "granted")
      await call("saved-delete", { names: ["held"] })
    })

    it("memory of another machine is refused at once, with the difference and the way out", async () => {
      await until("its durability", async () => (await inspect("warm")).durable)
      edit("warm", /("tscKhz":[^{}]*"kernel":)"[^"]*"/, `$1"another"`)
      const said = await refused(from("warm", "odd"))
      assert.match(said, /memory of snapshot "warm" cannot be restored on this host: guest kernel was another and is/)
      assert.include(said, "disk_only: true")
      assert.lengthOf((await inspect("warm")).differences, 1)
      await from("warm", "booted", { disk_only: true })
      assert.strictEqual(await sh("booted", "cat file"), "prepared")
    })

    it("an exported snapshot is imported under another name, and starts the same programs", async () => {
      const file = path.join(path.dirname(client.state), "moved.pyro")
      await call("save", { workspace: "two", name: "moving" })
      const { bytes, kind, sha256 } = await call<Exported>("export", { name: "moving", output: file })
      assert.deepStrictEqual([kind, bytes], ["memory", fs.statSync(file).size])
      assert.strictEqual(fs.statSync(file).mode & 0o777, 0o600)
      assert.include(await refused(call("export", { name: "moving", output: file })), "overwrite: true")
      await call("saved-delete", { names: ["moving"] })
      const wrong = { source_path: file, name: "moved", expect: "0".repeat(64) }
      assert.include(await refused(call("import", wrong)), `its SHA-256 is ${sha256}`)
      await call("import", { source_path: file, name: "moved", expect: sha256 })
      const { differences, from: origin } = await inspect("moved")
      assert.deepStrictEqual([differences, origin], [[], undefined])
      await from("moved", "there")
      assert.strictEqual(await sh("there", "cat file /dev/shm/page; echo $SAVED"), "prepared\nremembered\nyes")
      if (driver.capturesPrograms) {
        await sh("there", "rm -f /dev/shm/now; until [ -s /dev/shm/now ]; do sleep 0.02; done")
        const [running] = (await status("there")).running ?? []
        await call("cancel", { workspace: "there", exec_id: running!.execId })
        assert.deepStrictEqual((await status("there")).running ?? [], [])
      }
      await call("import", { source_path: file, name: "files", disk_only: true })
      await call("export", { name: "moved", output: file, overwrite: true, disk_only: true })
      await call("import", { source_path: file, name: "small" })
      assert.deepStrictEqual(await saved(), { warm: "memory", moved: "memory", files: "disk", small: "disk" })
      for (const one of ["files", "small"]) {
        await from(one, "booted-too")
        assert.strictEqual(await sh("booted-too", "cat file; ls /dev/shm"), "prepared")
        await remove("booted-too")
        await call("saved-delete", { names: [one] })
      }
      await remove("there")
      await call("saved-delete", { names: ["moved"] })
    })

    it("a file that was changed anywhere is refused, and nothing of it stays", async () => {
      const file = path.join(path.dirname(client.state), "changed.pyro")
      await call("save", { workspace: "two", name: "small", disk_only: true })
      await call("export", { name: "small", output: file })
      const whole = fs.readFileSync(file)
      const names = fs.readdirSync(path.join(client.state, "saved"))
      const read = async (bytes: Buffer) => {
        fs.writeFileSync(file, bytes)
        return refused(call("import", { source_path: file, name: "bad" }))
      }
      const changedAt = (at: number) => {
        const bytes = Buffer.from(whole)
        bytes[at]! ^= 1
        return bytes
      }
      for (const at of [0, 22, 40, Math.floor(whole.length / 2), whole.length - 1]) {
        assert.include(await read(changedAt(at)), "source_path: ", `byte ${at}`)
      }
      for (const length of [0, 10, 1000, whole.length - 33, whole.length - 1]) {
        const cut = length > whole.length - 33 ? "does not have its digest" : "it is cut off"
        assert.include(await read(whole.subarray(0, length)), cut, `of ${length} bytes`)
      }
      assert.include(await read(Buffer.concat([whole, Buffer.from("x")])), "does not have its digest")
      const header = whole.indexOf("QFI\xfb", 0, "latin1")
      if (header > 0) {
        // The place of a backing file's name: the digest is right, and QEMU would open the file.
        const content = changedAt(header + 15).subarray(0, -32)
        const sealed = Buffer.concat([content, createHash("sha256").update(content).digest()])
        assert.include(
          await read(sealed),
          "a layer of its disk is damaged: byte 15 of its header is not what pyro wrote"
        )
      }
      assert.deepStrictEqual(fs.readdirSync(path.join(client.state, "saved")), names)
      assert.isFalse((await list()).some((one) => one.name === "bad"))
      await call("saved-delete", { names: ["small"] })
    })

    more("secrets leave the host only with a person's word", async () => {
      const file = path.join(path.dirname(client.state), "secret.pyro")
      await create("holder", { secrets: { TOKEN: "correct horse battery" } })
      await call("save", { workspace: "holder", name: "held", disk_only: true })
      assert.include(await refused(call("export", { name: "held", output: file })), "allow_secrets: true")
      await call("export", { name: "held", output: file, allow_secrets: true })
      assert.isFalse(fs.readFileSync(file).includes("correct horse battery"))
      await call("import", { source_path: file, name: "brought" })
      assert.isTrue((await inspect("brought")).holdsSecrets)
      await remove("holder")
      for (const one of ["held", "brought"]) await call("saved-delete", { names: [one] })
    })

    more("a damaged record harms no other snapshot, and can be deleted", async () => {
      await call("save", { workspace: "one", name: "whole" })
      await client.kill()
      edit("warm", /"format":1/, `"format":99`)
      assert.deepStrictEqual(await saved(), { whole: "memory" })
      assert.include(await refused(from("warm", "odd")), "cannot be used: a newer pyro wrote its record")
      await call("saved-delete", { names: ["warm"] })
      await from("whole", "last")
      assert.strictEqual(await sh("last", "cat file"), "own")
      await remove("one", "two", "booted", "last")
      await call("saved-delete", { names: ["whole"] })
      assert.deepStrictEqual(fs.readdirSync(path.join(client.state, "saved")), [])
    })
  })
}
