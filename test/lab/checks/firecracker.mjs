import { expectAll } from "./expect.mjs"
import { says } from "./says.mjs"

/** Where the user has Firecracker: on PATH. */
const program = "~/.local/bin/firecracker"

/** Puts the program of the project disk on the user's PATH, which has the folder from the next login on. */
export const putFirecracker = `install -D --mode=755 ~/.lab/firecracker ${program}`

/** That the user can start Firecracker. */
export const hasFirecracker = async (perform) =>
  expectAll(await perform(`${putFirecracker} && ${program} --version`), [
    ["its version", ({ stdout }) => /^Firecracker v1\.\d+\.\d+$/m.test(stdout)]
  ])

/** A check whose new workspaces are on `driver`. */
export const onDriver = (driver, check) => (perform) =>
  check((script) => perform(`export PYRO_DRIVER=${driver}\n${script}`))

/** Enough for a guest of the story, whose five VMs share a machine of 6 GiB. */
const size = "--mem-mib 256 --disk-mib 512"

/** Prints a value of `pyro daemon status`, by an expression of JavaScript. */
const ofDaemon = (expression) =>
  `pyro daemon status --json | node -pe '(({ pid, vms }) => ${expression})(JSON.parse(fs.readFileSync(0)))'`

/** Few commands, since each takes seconds here. Members of the pool would compete with them for one processor. */
const story = (environment) =>
  `export PYRO_POOL_MEMBERS=0
pyro create ${environment} --name fc ${size} --quiet
pyro exec fc --script 'echo kept >note; sync; echo memory >/dev/shm/note; uname -r'
pyro snapshot create fc first --quiet
victim=$(pyro fork fc --name fork --count 4 --id-only --quiet | sed -n 4p)
for fork in 1 4; do echo "fork $fork: $(pyro exec fork-$fork --script 'cat note /dev/shm/note; hostname' | tr '\\n' ' ')"; done
pyro exec fork-1 --script 'echo own >note; sync'

kill -9 "$(${ofDaemon("pid")})"
echo "adopted: $(pyro list --json | grep -o '"state":"[a-z]*"' | sort | uniq -c | tr -s ' ')"
echo "of fork-1: $(pyro exec fork-1 --script 'cat note /dev/shm/note' | tr '\\n' ' ')"

export victim
vm=$(${ofDaemon("vms.find(({ workspace }) => workspace === process.env.victim).id")})
kill -9 "$(pgrep -a -x firecracker | grep -e "pyro-$vm" | cut -d ' ' -f 1)"
for _ in 1 2 3 4 5; do pyro status fork-4 --json | grep -q '"state":"failed"' && break; done
echo "failed: $(pyro list --json | grep -o '"state":"[a-z]*"' | sort | uniq -c | tr -s ' ' | tr '\\n' ' ')"
pyro start fork-4 --quiet
echo "mended: $(pyro exec fork-4 -- cat note)"
echo "of fc: $(pyro exec fc -- cat note)"

pyro delete --all --quiet
echo "processes: $(pgrep -x firecracker; pgrep pyro-console)"
pyro daemon stop --quiet
echo "left: $(pgrep -x firecracker; find ~/.local/state/pyro/vms ~/.local/state/pyro/workspaces -mindepth 1; find /dev/shm -type f)"
`

/** Workspaces on Firecracker from create to delete, through the deaths of the daemon and of one Firecracker. */
export const firecrackerStory = async (perform, environment) =>
  expectAll(await perform(story(environment)), [
    ["the guest's kernel", ({ stdout }) => /^\d+\.\d+\.\S+-cloud-amd64$/m.test(stdout)],
    says("fork 1", /^ kept memory fork-1 $/),
    says("fork 4", /^ kept memory fork-4 $/),
    says("adopted", /^ +5 "state":"running"$/),
    says("of fork-1", /^ own memory $/),
    says("failed", /^ +1 "state":"failed" +4 "state":"running" $/),
    says("mended", /^ kept$/),
    says("of fc", /^ kept$/),
    says("processes", /^ $/),
    says("left", /^ $/)
  ])

/** That Firecracker is refused without KVM, with the reason, and that QEMU still runs. */
export const refused = async (perform, environment, reason) =>
  expectAll(await perform(`pyro run ${environment} -- true`), [
    ["status 125, which is pyro's own", ({ status }) => status === 125],
    ["the driver's name", ({ stderr }) => /Firecracker/.test(stderr)],
    [`a reason like ${reason}`, ({ stderr }) => reason.test(stderr)],
    ["the other driver", ({ stderr }) => /--driver qemu/.test(stderr)]
  ])
