import { basename } from "node:path"
import process from "node:process"

/** Reporter for vitest: one line for each file with its duration, and the errors of a failed file. */
export default class Stories {
  onTestModuleEnd(module) {
    const { duration, setupDuration } = module.diagnostic()
    const name = basename(module.moduleId, ".test.ts")
    const seconds = (setupDuration + duration) / 1000
    process.stdout.write(`${module.ok() ? "✓" : "×"} ${name.padEnd(16)} ${seconds.toFixed(1).padStart(6)} s\n`)
    const errors = [
      ...module.errors(),
      ...[...module.children.allTests()].flatMap((test) => test.result().errors ?? [])
    ]
    for (const { message } of errors) process.stdout.write(`${message}\n`)
  }
}
