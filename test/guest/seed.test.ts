import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { pyro, temporaryFolder } from "../support/pyro-cli.ts"
import { rawZip } from "../unit/lib/disk/zip-bytes.ts"

/** What the guest's kernel makes of a seed image; `test/unit/lib/disk` looks at images from the host's side. */
describe("a workspace seeded from the host", () => {
  const { folder, remove } = temporaryFolder("pyro-seed-test-")
  const tree = path.join(folder, "tree")
  const env = { PYRO_STATE_DIR: path.join(folder, "state") }
  const inGuest = (script: string) =>
    pyro(["run", "debian:12", "--seed-path", tree, "--", "bash", "-euc", script], { env })

  beforeAll(() => {
    fs.mkdirSync(path.join(tree, "many"), { recursive: true })
    // Enough for two levels of a directory's index.
    const script = "import sys\nfor i in range(50000): open(f'{sys.argv[1]}/name-{i}-' + 'x' * (i % 30), 'w')"
    execFileSync("python3", ["-c", script, path.join(tree, "many")])
    fs.writeFileSync(path.join(tree, "tool"), "#!/bin/sh\nid -u\n")
    fs.chmodSync(path.join(tree, "tool"), 0o4751)
    fs.utimesSync(path.join(tree, "tool"), 1_234_567_890, 1_234_567_890)
    fs.linkSync(path.join(tree, "tool"), path.join(tree, "hard"))
    fs.symlinkSync("/etc/hostname", path.join(tree, "out"))
    const sparse = fs.openSync(path.join(tree, "sparse"), "w")
    for (let piece = 0; piece < 500; piece++) fs.writeSync(sparse, "x", piece * 1_000_000)
    fs.closeSync(sparse)
    execFileSync("mkfifo", [path.join(tree, "fifo")])
  })
  afterAll(remove)

  it("a seeded workspace has the host's files, owned by root, and reports files left out", async () => {
    const { stderr, stdout } = await inGuest(`
      stat -c '%n %u:%g %a %h %Y' tool hard; readlink out; cat out >/dev/null
      md5sum < sparse; test $(du -k sparse | cut -f1) -lt 2100; ls -A | tr '\\n' ' '`)
    const sparse = execFileSync("sh", ["-c", `md5sum < "$1"`, "sh", path.join(tree, "sparse")], { encoding: "utf8" })
    assert.strictEqual(
      stdout.toString(),
      "tool 0:0 751 2 1234567890\nhard 0:0 751 2 1234567890\n/etc/hostname\n" +
        `${sparse}hard many out sparse tool `,
      stderr
    )
    assert.include(stderr, "fifo (it is a FIFO)")
  })

  it("directories of a seed image can be searched and grow, and the kernel reports no error", async () => {
    const { stderr, stdout } = await inGuest(`
      ls many | wc -l
      cd many; python3 - <<'PY'
import os
print(all(os.path.exists(f"name-{i}-" + "x" * (i % 30)) for i in range(0, 50000, 11)))
for i in range(5000): open(f"new-{i}-" + "y" * (i % 50), "w")
for i in range(0, 50000, 7): os.unlink(f"name-{i}-" + "x" * (i % 30))
print(len(os.listdir(".")), all(os.path.exists(name) for name in os.listdir(".")))
PY
      sync; echo 3 > /proc/sys/vm/drop_caches; ls | wc -l
      dmesg | grep -ciE 'ext4-fs (error|warning)' || true`)
    assert.strictEqual(stdout.toString(), "50000\nTrue\n47857 True\n47857\n0\n", stderr)
  })

  it("a workspace is seeded from a zip archive", async () => {
    const archive = path.join(folder, "project.zip")
    fs.writeFileSync(
      archive,
      rawZip(
        { name: "bin/tool", content: "#!/bin/sh\necho unpacked\n", mode: 0o100755, deflated: true },
        { name: "link", content: "bin/tool", mode: 0o120777 },
        { name: "../up", content: "evil" }
      )
    )
    const { stderr, stdout } = await pyro(["run", "debian:12", "--seed-path", archive, "--", "./link"], { env })
    assert.strictEqual(stdout.toString(), "unpacked\n", stderr)
    assert.include(stderr, "../up (its name leads out of the archive)")
  })
})
