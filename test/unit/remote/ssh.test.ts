import { assert, describe, it } from "vitest"
import { destination, options, readSettings } from "../../../src/remote/ssh/arguments.ts"
import { meaningOf, wantsPerson } from "../../../src/remote/ssh/failure.ts"

const NONE = readSettings("host bench\ncontrolmaster false\nserveraliveinterval 0\nconnecttimeout none\n")
const here = { mayAsk: false, socketFolder: "/run/x" }

describe("the words of ssh", () => {
  it("end with the host, which is no option", () => {
    assert.deepStrictEqual(destination({ host: "bench", user: "me", port: 2222 }), [
      ...["-p", "2222", "-l", "me", "--", "bench"]
    ])
  })

  it("share a connection and notice a lost line, if the person has said nothing of it", () => {
    const words = options(NONE, here)
    for (
      const word of [
        "BatchMode=yes",
        "ControlMaster=auto",
        "ControlPath=/run/x/%C",
        "ControlPersist=60",
        "ServerAliveInterval=5",
        "ConnectTimeout=15",
        "ClearAllForwardings=yes",
        "ForwardAgent=no",
        "RemoteCommand=none"
      ]
    ) {
      assert.include(words, word)
    }
  })

  it("leave what the person has set", () => {
    const own = readSettings("controlmaster auto\ncontrolpath /home/me/%C\nserveraliveinterval 30\nconnecttimeout 3\n")
    const words = options(own, here).join(" ")
    for (const word of ["ControlMaster", "ControlPath", "ControlPersist", "ServerAliveInterval", "ConnectTimeout"]) {
      assert.notInclude(words, word)
    }
  })

  it("share nothing without a folder, and ask where a person sits", () => {
    const words = options(NONE, { mayAsk: true, socketFolder: undefined }).join(" ")
    assert.notInclude(words, "Control")
    assert.notInclude(words, "BatchMode")
  })
})

describe("an end of ssh before the greeting", () => {
  const ended = { status: undefined, signal: undefined, error: undefined }

  it("says the cause and the way out", () => {
    const missing = Object.assign(new Error("x"), { code: "ENOENT" })
    assert.match(meaningOf({ ...ended, error: missing }, "", "pyro"), /no ssh; install OpenSSH's client/)
    assert.match(
      meaningOf({ ...ended, status: 255 }, "Welcome\r\n\x1b[31mssh: refused\r\n", "pyro"),
      /^ssh cannot connect: Welcome; \\x1b\[31mssh: refused$/
    )
    assert.match(
      meaningOf({ ...ended, status: 127 }, "sh: pyro: not found", "pyro"),
      /finds no program `pyro`.*--command/
    )
    assert.match(meaningOf({ ...ended, status: 1 }, "", "pyro"), /ended with status 1$/)
    assert.match(meaningOf({ ...ended, signal: "SIGTERM" }, "", "pyro"), /ended by SIGTERM/)
  })

  it("may be for a person to answer", () => {
    const asks = (stderr: string, status = 255) => wantsPerson({ ...ended, status }, stderr)
    assert.isTrue(asks("me@bench: Permission denied (publickey,password)."))
    assert.isTrue(asks("Host key verification failed."))
    assert.isFalse(asks("Connection refused"))
    assert.isFalse(asks("Permission denied", 1))
  })
})
