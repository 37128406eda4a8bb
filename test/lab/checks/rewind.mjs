import { expectAll } from "./expect.mjs"
import { says } from "./says.mjs"

/** Enough for a guest of the story. */
const size = "--mem-mib 256 --disk-mib 512"

/** Prints a value of a JSON document on stdin, by an expression of JavaScript over `it`. */
const of = (expression) => `node -pe 'const it = JSON.parse(fs.readFileSync(0)); ${expression}'`

/**
 * The service has a token in the memory of its process alone, and writes it again and again: a service that was started again would have another one. The
 * shell has a variable.
 */
const story = (environment) =>
  `export PYRO_POOL_MEMBERS=0 PYRO_REWIND_EVERY_MS=0
settled() {
  for _ in $(seq 90); do
    pyro history rw --json | ${
    of("it.points.some((one) => one.memory && one.current && one.commands === it.commands.length)")
  } | grep -q true && return
    sleep 1
  done
  echo "no point with memory is made: $(pyro history rw --json)"
}
pyro create ${environment} --name rw ${size} --quiet
pyro service start rw token --quiet -- sh -c 'echo $$ >/dev/shm/pid; read -r token </proc/sys/kernel/random/uuid; while :; do echo "$token" >/dev/shm/token; sleep 1; done'
shell=$(pyro shell open rw --id-only)
pyro shell write rw "$shell" --input 'x=41' >/dev/null
pyro exec rw --script 'echo kept >note; echo memory >/dev/shm/note; until [ -s /dev/shm/token ]; do sleep 1; done'
settled
before=$(pyro exec rw -- cat /dev/shm/token)
settled
pyro exec rw --script 'kill -9 $(cat /dev/shm/pid); echo lost >note; rm -rf /dev/shm/* /usr'
settled
broken=$(pyro history rw --json | ${of("it.commands.at(-1).exec_id")})
pyro exec rw -- git --version >/dev/null 2>&1 || echo "broken: yes"

pyro fork rw --name rwf --at "$broken" --quiet
echo "fork: $(pyro exec rwf --script 'cat note /dev/shm/note; hostname; git --version' | tr '\\n' ' ')"
test "$(pyro exec rwf -- cat /dev/shm/token)" = "$before" && echo "fork's token: same"
pyro delete rwf --quiet

pyro rewind rw --before "$broken" --json >rewound
echo "memory: $(${of("it.memory")} <rewound) $(${
    of("it.still_running.map((one) => one.split(\" \")[0]).sort()")
  } <rewound | tr -d '\\n')"
echo "back: $(pyro exec rw --script 'cat note /dev/shm/note; git --version' | tr '\\n' ' ')"
pyro exec rw --script 'rm /dev/shm/token; until [ -s /dev/shm/token ]; do sleep 1; done'
test "$(pyro exec rw -- cat /dev/shm/token)" = "$before" && echo "token: same"
pyro shell write rw "$shell" --input 'echo "is $((x + 1))"' >/dev/null
echo "shell: $(pyro shell read rw "$shell" --plain --wait-for 'is 42' --wait-seconds 120 --json | grep -c 'is 42')"

kill -9 "$(pyro daemon status --json | ${of("it.pid")})"
echo "adopted: $(pyro history rw --json | ${of("it.points.length > 2")})"
pyro rewind rw --to "$(${of("it.redo")} <rewound)" --json >again
echo "forward: $(${of("it.memory")} <again) $(pyro exec rw -- git --version >/dev/null 2>&1 || echo broken)"
pyro rewind rw --before "$broken" --quiet
echo "back again: $(pyro exec rw -- cat note)"

pyro delete --all --quiet
pyro daemon stop --quiet
rm rewound again
echo "left: $(pgrep -x firecracker; find ~/.local/state/pyro/vms ~/.local/state/pyro/workspaces -mindepth 1; find /dev/shm -type f)"
`

/** A workspace on Firecracker whose /usr and service are gone, and come back with the memory of the moment before. */
export const rewindStory = async (perform, environment) =>
  expectAll(await perform(story(environment)), [
    ["a point after each command", ({ stdout }) => !stdout.includes("no point with memory")],
    says("broken", /^ yes$/),
    says("fork", /^ kept memory rwf git version \S+ $/),
    says("fork's token", /^ same$/),
    says("memory", /^ true \[ 'service', 'shell' \]$/),
    says("back", /^ kept memory git version \S+ $/),
    says("token", /^ same$/),
    says("shell", /^ [1-9]\d*$/),
    says("adopted", /^ true$/),
    says("forward", /^ true broken$/),
    says("back again", /^ kept$/),
    says("left", /^ $/)
  ])
