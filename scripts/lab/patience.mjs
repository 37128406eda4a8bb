/**
 * Longest silence of a machine that boots, and the longest boot. An idle 2-core host boots one in 15 s; one that shares its processors
 * with ten jobs needs more than 240 s, but prints a line now and then.
 */
const limits = { silentSeconds: 240, seconds: 1800 }

/**
 * What `answer` resolves with. `progress` gives a number that changes while the machine gets on, such as the length of its console. The
 * machine is given up, with the error of `giveUp(reason)`, when that number stands still for too long, or when the boot never ends.
 */
export const whileItMoves = async (answer, { progress, giveUp }, { seconds, silentSeconds } = limits) => {
  let timer
  const stuck = new Promise((_, reject) => {
    const startedAt = Date.now()
    let [last, movedAt] = [progress(), startedAt]
    timer = setInterval(() => {
      const now = Date.now()
      const current = progress()
      if (current !== last) [last, movedAt] = [current, now]
      if (now - movedAt >= silentSeconds * 1000) reject(giveUp(`it has printed nothing for ${silentSeconds} s`))
      else if (now - startedAt >= seconds * 1000) reject(giveUp(`it still boots after ${seconds} s`))
    }, 1000)
    // Only QEMU keeps the lab alive.
    timer.unref()
  })
  try {
    return await Promise.race([answer, stuck])
  } finally {
    clearInterval(timer)
  }
}
