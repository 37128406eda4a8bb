import { expectAll } from "./expect.mjs"

/** Changes the machine as root, and holds when that worked. */
export const asRoot = (what, script) => ({
  accelerator: "-",
  user: "root",
  what,
  seconds: 60,
  check: async (perform) => expectAll(await perform(script), [["it ends well", ({ status }) => status === 0]])
})

/** As root in a shell with the settings of a login: pyro of the user's package, with a cache and a state of root's own. */
export const asRootsPyro = (what, seconds, check) => ({
  accelerator: "KVM",
  user: "root",
  what,
  seconds,
  check: (perform) => check((script) => perform(`${rootsShell}${script}`))
})

const rootsShell = `set -a; . /etc/environment; HOME=/root PATH=/home/dev/.local/bin:$PATH; set +a
`

export const asUser = (accelerator, what, seconds, check) => ({ accelerator, user: "dev", what, seconds, check })

/** systemd ends a user's manager ten seconds after the last session. */
export const afterLogout = `
until [ $SECONDS -ge 40 ] || ! pgrep -u dev >/dev/null; do sleep 0.5; done
pgrep -u dev -a && exit 1
left=$(find /dev/shm -type f)
[ -z "$left" ] || { echo "$left"; exit 1; }
`
