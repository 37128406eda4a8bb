import { afterAll, assert, it } from "vitest"
import { installation } from "../support/installation.ts"

const pyro = installation("pyro-cgroups-")
afterAll(() => pyro.close())

const run = async (name: string, script: string) => {
  const { code, stderr, stdout } = await pyro.call(["exec", name, "--user", "root", "--script", script])
  assert.strictEqual(code, 0, stderr)
  return stdout.toString()
}

/** Writes lines of random bytes and the boot id, as fast as it can, from a cgroup of root's own: a container engine's programs are in one, too. */
const WRITER = `mkdir /sys/fs/cgroup/libpod_parent
echo $$ >/sys/fs/cgroup/libpod_parent/cgroup.procs
nohup setsid bash -c 'while :; do
  random=$SRANDOM
  read -r boot </proc/sys/kernel/random/boot_id
  echo "$random $boot"
done' >/run/lines 2>&1 &`

const linesOf = async (name: string) => (await run(name, "cat /run/lines")).split("\n").slice(0, -1)

it("a program in a cgroup beside pyro's own runs in a fork only after the fork differs from its source", async () => {
  const created = await pyro.call(["create", "debian:12", "--name", "source", "--mem-mib", "256"])
  assert.strictEqual(created.code, 0, created.stderr)
  await run("source", WRITER)
  await run("source", "until [ \"$(wc -l </run/lines)\" -gt 20 ]; do sleep 0.1; done")
  const forked = await pyro.call(["fork", "source", "--name", "copy"])
  assert.strictEqual(forked.code, 0, forked.stderr)
  await run("copy", "n=$(wc -l </run/lines); until [ \"$(wc -l </run/lines)\" -gt $((n + 5)) ]; do sleep 0.1; done")
  const [source, copy] = [await linesOf("source"), await linesOf("copy")]
  const same = copy.findIndex((line, at) => line !== source[at])
  const bootOf = (line = "") => line.trim().split(" ").at(-1)
  const own = await run("copy", "cat /proc/sys/kernel/random/boot_id")
  assert.isAbove(same, 20)
  assert.notStrictEqual(bootOf(source[0]), own.trim())
  assert.deepStrictEqual([...new Set(copy.slice(same).map(bootOf))], [own.trim()])
})
