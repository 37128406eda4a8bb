import { expectAll } from "./expect.mjs"

/** That the lab's user is what it is meant to be. */
export const ordinaryUser = async (perform) =>
  expectAll(await perform("id; loginctl --no-legend; echo runtime=$XDG_RUNTIME_DIR; sudo -n true || echo no sudo"), [
    ["uid 1000", ({ stdout }) => /^uid=1000\(dev\)/m.test(stdout)],
    ["not in the group kvm yet", ({ stdout }) => !/\(kvm\)/.test(stdout)],
    ["one session, dev's", ({ stdout }) => /^ *\S+ +1000 dev\b/m.test(stdout)],
    ["a runtime directory", ({ stdout }) => stdout.includes("runtime=/run/user/1000\n")],
    ["no sudo", ({ stdout }) => stdout.includes("no sudo")]
  ])

const lineOf = (stdout, name) => linesOf(stdout).find((line) => line.name === name)

/** What doctor found, none when it printed something else. */
const linesOf = (stdout) => {
  try {
    return JSON.parse(stdout).lines ?? []
  } catch {
    return []
  }
}

/** That doctor finds nothing wrong, and the accelerator with the reason given. */
export const accelerator = async (perform, wanted, reason, mend) =>
  expectAll(await perform("pyro doctor --json"), [
    ["status 0", ({ status }) => status === 0],
    [`the accelerator is ${wanted}`, ({ stdout }) => lineOf(stdout, "accelerator")?.found.startsWith(wanted)],
    [`a reason like ${reason}`, ({ stdout }) => reason.test(lineOf(stdout, "accelerator")?.found)],
    ["QEMU in namespaces", ({ stdout }) => /namespaces/.test(lineOf(stdout, "confinement")?.found)],
    ...mend === undefined ? [] : [[`mended by ${mend}`, ({ stdout }) => mend.test(lineOf(stdout, "accelerator")?.fix)]]
  ])

/** That a guest runs on KVM as root, whose daemon then ends: Linux knows the clock of KVM only there. */
export const onKvm = async (perform, environment) =>
  expectAll(
    await perform(`clocks=/sys/devices/system/clocksource/clocksource0/available_clocksource
pyro run ${environment} -- sh -c "cat $clocks; exit 7"; status=$?
stat -c 'device %a %u:%g' /dev/kvm
pyro daemon stop
exit $status`),
    [
      ["the clock of KVM", ({ stdout }) => /\bkvm-clock\b/.test(stdout)],
      ["the device is still root's alone", ({ stdout }) => /^device 600 0:0$/m.test(stdout)],
      ["status 7", ({ status }) => status === 7]
    ]
  )

/** The command that a newcomer is shown. */
export const useful = async (perform, environment, options = "") =>
  expectAll(
    await perform(
      `pyro run ${options} ${environment} -- sh -c 'apt-get --version; python3 -c "print(6*7)"; echo aside >&2; exit 7'`
    ),
    [
      ["apt's version on stdout", ({ stdout }) => /^apt \d/m.test(stdout)],
      ["42 on stdout", ({ stdout }) => /^42$/m.test(stdout)],
      ["`aside` on stderr", ({ stderr }) => /^aside$/m.test(stderr)],
      ["status 7", ({ status }) => status === 7]
    ]
  )

const names = { qemu: "QEMU", firecracker: "Firecracker" }

/** That every claim of the self-test holds, on the driver. */
export const selftest = (driver) => async (perform) =>
  expectAll(await perform("pyro doctor --selftest --json"), [
    ["status 0", ({ status }) => status === 0],
    ["nothing wrong", ({ stdout }) => linesOf(stdout).every(({ ok }) => ok)],
    [`VMs on ${names[driver]}`, ({ stdout }) => lineOf(stdout, "driver")?.found.endsWith(names[driver])],
    ["two VMs unlike each other", ({ stdout }) => lineOf(stdout, "different random bytes")?.ok === true],
    ["memory that was searched", ({ stdout }) => /^only its own/.test(lineOf(stdout, pageClaim)?.found)],
    ["nothing left", ({ stdout }) => lineOf(stdout, "nothing is left on the host")?.ok === true]
  ])

const pageClaim = "a page of one is not in the other"
