import { afterAll, assert, beforeEach, describe, it } from "@effect/vitest"
import { execFileSync, spawn, spawnSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { nativeDirectory } from "../../../../../src/system/processes/native.ts"

// The build with sanitizers, which ends the program at the first wrong access.
const program = path.join(nativeDirectory(), "pyro-ssh-sanitized")
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-sftp-"))
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

let home = folder
beforeEach(() => {
  home = fs.mkdtempSync(path.join(folder, "home-"))
})

/** Commands of OpenSSH's client, one a line. */
const sftp = (...commands: ReadonlyArray<string>) => {
  const { status, stderr, stdout } = spawnSync("sftp", ["-q", "-D", `${program} sftp`, "-b", "-"], {
    cwd: home,
    env: { ...process.env, HOME: home, TZ: "UTC" },
    input: commands.join("\n"),
    encoding: "utf8"
  })
  const lines = stdout.split("\n").filter((line) => line !== "" && !line.startsWith("sftp> "))
  return { status, lines, errors: stderr.trim() }
}

const u32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
const text = (value: Buffer | string) => Buffer.concat([u32(value.length), Buffer.from(value as string)])
const message = (type: number, ...fields: ReadonlyArray<Buffer>) => {
  const body = Buffer.concat([Buffer.from([type]), ...fields])
  return Buffer.concat([u32(body.length), body])
}

/** The answers to raw bytes: the type of each, and the code of a status. */
const answers = (...requests: ReadonlyArray<Buffer>) => {
  const { status, stderr, stdout } = spawnSync(program, ["sftp"], {
    env: { HOME: home },
    input: Buffer.concat(requests)
  })
  assert.notInclude(stderr.toString(), "Sanitizer")
  const found: Array<string> = []
  for (let at = 0; at < stdout.length; at += 4 + stdout.readUInt32BE(at)) {
    const type = stdout[at + 4]!
    found.push(type === 101 ? `status ${stdout.readUInt32BE(at + 9)}` : String(type))
  }
  return { found, status }
}
const OPEN = 3
const noAttributes = u32(0)

describe("the server of sftp", () => {
  it("files come and go byte for byte, with their modes and times", () => {
    const content = randomBytes(3_000_001)
    fs.writeFileSync(`${home}/a file`, content, { mode: 0o751 })
    fs.utimesSync(`${home}/a file`, 1_000_000, 1_000_000)
    const { errors, status } = sftp("mkdir there", "put -p \"a file\" there/copy", "get -p there/copy back")
    assert.deepStrictEqual([status, errors], [0, ""])
    for (const name of ["there/copy", "back"]) {
      assert.isTrue(fs.readFileSync(`${home}/${name}`).equals(content))
      const { mode, mtimeMs } = fs.statSync(`${home}/${name}`)
      assert.deepStrictEqual([mode & 0o777, mtimeMs], [0o751, 1_000_000_000])
    }
  })

  it("an interrupted upload is resumed, and an append goes to the end", () => {
    const content = randomBytes(200_000)
    fs.writeFileSync(`${home}/whole`, content)
    fs.writeFileSync(`${home}/part`, content.subarray(0, 70_000))
    assert.strictEqual(sftp("reput whole part").status, 0)
    assert.isTrue(fs.readFileSync(`${home}/part`).equals(content))
  })

  it("names, links, modes and removals are those of the file system", () => {
    fs.writeFileSync(`${home}/one`, "1")
    fs.writeFileSync(`${home}/two`, "2")
    const done = sftp(
      "rename one \"new name\"",
      "symlink two link",
      "ln two hard",
      "chmod 600 two",
      "mkdir empty",
      "rmdir empty",
      "rm hard"
    )
    assert.deepStrictEqual([done.status, done.errors], [0, ""])
    assert.deepStrictEqual(fs.readdirSync(home).sort(), ["link", "new name", "two"])
    assert.strictEqual(fs.readlinkSync(`${home}/link`), "two")
    assert.strictEqual(fs.statSync(`${home}/two`).mode & 0o777, 0o600)
  })

  it("a listing looks like that of ls, also of a thousand odd names", () => {
    fs.writeFileSync(`${home}/script`, "123", { mode: 0o4755 })
    fs.chmodSync(`${home}/script`, 0o4755)
    fs.utimesSync(`${home}/script`, 86_400, 86_400)
    fs.symlinkSync("nowhere", `${home}/broken`)
    const [broken = "", script = ""] = sftp("ls -l .").lines
    assert.match(script, /^-rwsr-xr-x\s+1 \S+\s+\S+\s+3 Jan\s+2\s+1970 (\.\/)?script$/)
    assert.match(broken, /^lrwxrwxrwx\s/)
    fs.mkdirSync(`${home}/many`)
    for (let i = 0; i < 1_000; i++) fs.writeFileSync(`${home}/many/${"ä".repeat(100)}${i}`, "")
    assert.lengthOf(sftp("ls -1 many").lines, 1_000)
  })

  it("refusals of the file system reach the person", () => {
    fs.mkdirSync(`${home}/full/inner`, { recursive: true })
    assert.include(sftp("get nothing").errors, "not found")
    assert.include(sftp("rmdir full").errors, "Failure")
    assert.include(sftp("put nothing").errors, "No such file")
    assert.include(sftp("cd nowhere").errors, "No such file")
    assert.include(sftp("mkdir full").errors, "Failure")
  })

  it("paths are absolute, relative to the home directory, or begin with ~", () => {
    fs.mkdirSync(`${home}/inner`)
    assert.deepStrictEqual(sftp("pwd", "cd inner/../inner", "pwd").lines, [
      `Remote working directory: ${home}`,
      `Remote working directory: ${home}/inner`
    ])
    // REALPATH of a file that is to be made, and expand-path.
    const REALPATH = 16
    assert.deepStrictEqual(
      answers(
        message(REALPATH, u32(1), text("inner/new")),
        message(REALPATH, u32(2), text("no/new")),
        message(200, u32(3), text("expand-path@openssh.com"), text("~/inner"))
      ).found,
      ["104", "status 2", "104"]
    )
  })

  it("malformed requests get an answer, and a message without bounds ends the server", () => {
    const long = Buffer.alloc(5_000, "a")
    assert.deepStrictEqual(
      answers(
        message(1, u32(3)),
        message(OPEN, u32(1), text("x"), u32(1)),
        message(OPEN, u32(2), u32(0xffffffff)),
        message(OPEN, u32(3), text(long), u32(1), noAttributes),
        message(OPEN, u32(4), text("a\0b"), u32(1), noAttributes),
        message(5, u32(5), text("abcd"), Buffer.alloc(12)),
        message(4, u32(6), text("")),
        message(12, u32(7), text(Buffer.alloc(4, 0xff))),
        message(200, u32(8), text("unknown@example.com"), text("")),
        message(99, u32(9)),
        message(13)
      ).found,
      ["2", ...[5, 5, 5, 5, 4, 4, 4, 8, 8, 5].map((code) => `status ${code}`)]
    )
    for (const wrong of [u32(0), u32(0xffffffff), Buffer.concat([u32(262_145), Buffer.alloc(300_000)])]) {
      assert.deepStrictEqual(answers(wrong, message(1, u32(3))), { found: [], status: 11 })
    }
  })

  it("a handle is good until its close, and a client has no more than 1024", () => {
    fs.writeFileSync(`${home}/file`, "content")
    const open = message(OPEN, u32(1), text("file"), u32(1), noAttributes)
    const handle = text(u32(0))
    const read = message(5, u32(2), handle, Buffer.alloc(8), u32(100))
    const { found } = answers(open, read, message(4, u32(3), handle), read, message(4, u32(4), handle))
    assert.deepStrictEqual(found, ["102", "103", "status 0", "status 4", "status 4"])
    const many = execFileSync("sh", ["-c", "ulimit -n"], { encoding: "utf8" }).trim()
    const all = answers(...Array.from({ length: 1_030 }, () => open)).found
    assert.strictEqual(all.filter((one) => one === "102").length, Math.min(1_024, Number(many) - 3))
    assert.isTrue(all.slice(1_024).every((one) => one === "status 4"))
  })

  it("a FIFO without a writer does not stop the server", () => {
    execFileSync("mkfifo", [`${home}/fifo`])
    assert.deepStrictEqual(
      answers(message(OPEN, u32(1), text("fifo"), u32(1), noAttributes), message(17, u32(2), text("fifo"))).found,
      ["102", "105"]
    )
  })
})

describe("a connection of the guest", () => {
  it("it says when it is connected, carries both directions, and ends with both", async () => {
    const socket = path.join(home, "socket")
    const server = spawn("python3", [
      "-c",
      "import socket,sys\ns=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); print('up',flush=True)\n" +
      "c,_=s.accept()\nwhile True:\n d=c.recv(65536)\n if not d: break\n c.sendall(d)\nc.close()",
      socket
    ], { stdio: ["ignore", "pipe", "inherit"] })
    await new Promise((resolve) => server.stdout.once("data", resolve))
    const bytes = randomBytes(3_000_000)
    const { status, stdout } = spawnSync(program, ["connect-unix", socket], { input: bytes, maxBuffer: 1 << 24 })
    assert.strictEqual(status, 0)
    assert.isTrue(stdout.subarray(1).equals(bytes))
    assert.strictEqual(stdout.subarray(0, 1).toString(), "+")
  })

  it("a refusal has a reason, and no sign of a connection", () => {
    for (
      const args of [["connect", "127.0.0.1", "1"], ["connect-unix", "/nowhere"], ["connect", "name.invalid", "80"], [
        "connect-unix",
        "a".repeat(200)
      ]]
    ) {
      const { status, stderr, stdout } = spawnSync(program, args)
      assert.deepStrictEqual([status, stdout.length], [1, 0], args.join(" "))
      assert.isAbove(stderr.length, 5)
    }
    assert.strictEqual(spawnSync(program, []).status, 2)
  })
})
