import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import ssh2 from "ssh2"
import { makeKey, publicLineOf } from "../../../../../src/lib/ssh/keys.ts"

describe("keys of an SSH connection", () => {
  it("OpenSSH reads a key, and finds the same public key in it", () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-keys-"))
    try {
      for (const comment of ["", "a", "pyro client key of ws-0123456789"]) {
        const { privateText, publicLine } = makeKey(comment)
        const file = path.join(folder, "key")
        fs.writeFileSync(file, privateText, { mode: 0o600 })
        const shown = execFileSync("ssh-keygen", ["-y", "-P", "", "-f", file], { encoding: "utf8" }).trim()
        assert.strictEqual(shown, `${publicLine} ${comment}`.trim())
        fs.rmSync(file)
      }
    } finally {
      fs.rmSync(folder, { recursive: true })
    }
  })

  it("what a private key signs, its public line verifies, and another line does not", () => {
    const [one, other] = [makeKey("one"), makeKey("other")]
    const privateKey = ssh2.utils.parseKey(one.privateText)
    const [publicKey, wrong] = [ssh2.utils.parseKey(one.publicLine), ssh2.utils.parseKey(other.publicLine)]
    if (privateKey instanceof Error || publicKey instanceof Error || wrong instanceof Error) throw new Error("no key")
    const signature = privateKey.sign(Buffer.from("text"))
    assert.isTrue(publicKey.verify(Buffer.from("text"), signature))
    assert.isFalse(wrong.verify(Buffer.from("text"), signature))
    assert.notStrictEqual(one.publicLine, other.publicLine)
  })

  it("the public line is read out of a private key, and out of no other text", () => {
    const { privateText, publicLine } = makeKey("a comment")
    assert.strictEqual(publicLineOf(privateText), publicLine)
    for (
      const damaged of [
        "",
        "text",
        publicLine,
        privateText.slice(0, 100),
        privateText.replace(/\n[^\n]{70}\n/, "\nAAAA\n")
      ]
    ) {
      assert.isUndefined(publicLineOf(damaged), damaged)
    }
  })
})
