import { say } from "../../../scripts/setup/report.mjs"

/**
 * Whether an inner guest's kernel panicked at an interrupt that no processor delivers: the trace goes back to the first instruction of an
 * interrupt's entry, which runs with interrupts off, and another interrupt came there. The entry has not yet loaded the kernel's GS, so
 * the second handler faults without end. QEMU's translator does so now and then when it emulates SVM (docs/lab.md).
 */
export const isInterruptedTwice = (detail) =>
  /RIP: 0010:asm_sysvec_\w+\+0x0\//.test(detail) && /Kernel panic - not syncing/.test(detail)

/** Removes what a check left in the user's pyro. */
const anew = "pyro delete --all --quiet; pyro daemon stop --quiet; rm -rf /dev/shm/pyro-*"

/** A check that is done once more, aloud, if the emulator broke its guest. Any other failure counts at once. */
export const onceMore = (check) => async (perform) => {
  const detail = await check(perform)
  if (detail === undefined || !isInterruptedTwice(detail)) return detail
  say("the emulator interrupted an interrupt's entry, and the guest panicked: the check is done once more")
  await perform(anew)
  return check(perform)
}
