import { processEnvironment } from "../settings/config.ts"

/**
 * A place where a crash is worth trying. When `PYRO_FAULT` names it, the process kills itself there as a power cut would; when
 * `PYRO_FAULT_HALT` does, it halts until somebody lets it go on (SIGCONT), who has done harm meanwhile. The fault-injection tests
 * visit every one.
 */
export const faultPoint = (name: string): void => {
  const { PYRO_FAULT, PYRO_FAULT_HALT } = processEnvironment()
  if (PYRO_FAULT === name) process.kill(process.pid, "SIGKILL")
  if (PYRO_FAULT_HALT === name) process.kill(process.pid, "SIGSTOP")
}
