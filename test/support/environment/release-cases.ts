import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../installation.ts"

const machine = "locale charmap; stat -c %a /tmp; " +
  "for m in /dev/shm /dev/pts /proc /sys /sys/fs/cgroup /run; do mountpoint -q $m || echo missing $m; done; " +
  "hostname; grep -c $(hostname) /etc/hosts; git config --system safe.directory; ls -d /lib/modules/$(uname -r); pwd; " +
  "unshare -r true && echo ns; locale -a | grep en_US; export LC_ALL=en_US.UTF-8; perl -e 'print \"perl\\n\"' 2>&1; " +
  "python3 -c 'import locale; print(locale.setlocale(locale.LC_ALL, \"\"))'"

const timeZones = "date -d @0 +%R; TZ=Asia/Tokyo date -d @0 +%R; TZ=US/Eastern date -d @0 +%R; " +
  "python3 -c 'from zoneinfo import ZoneInfo as Z; print(Z(\"Europe/Berlin\"), Z(\"Europe/Kiev\"))'"

/** What programs expect of a Debian release in a guest. */
export const releaseCases = (release: string) =>
  describe(`debian:${release}`, () => {
    const pyro = installation("pyro-releases-")
    // Builds what is not on the host, or was made from an older list of packages.
    beforeAll(() => pyro.json(["env", "pull", `debian:${release}`]))
    afterAll(pyro.close)

    const inGuest = async (script: string) => {
      const { code, stderr, stdout } = await pyro.call(["run", `debian:${release}`, "--", "sh", "-c", script])
      assert.strictEqual(code, 0, stderr)
      return stdout.toString()
    }

    it("the guest runs the Debian release of the environment's name", async () => {
      assert.match(await inGuest("cat /etc/debian_version"), new RegExp(`^${release}\\.\\d+\\n$`))
    })

    it("the guest has the devices, files, limits and locales that programs expect", async () => {
      assert.match(
        await inGuest(machine),
        /^UTF-8\n1777\npyro\n1\n\*\n\/lib\/modules\/6\.[^\n]+\n\/workspace\nns\nen_US\.utf8\nperl\nen_US\.UTF-8\n$/
      )
    })

    it("the guest knows time zones by current and older names", async () => {
      assert.strictEqual(await inGuest(timeZones), "00:00\n09:00\n19:00\nEurope/Berlin Europe/Kiev\n")
    })
  })
